"""`fleet_body`: the dashboard of an environment, as CloudWatch reads it.

runs and how they ended, share of success │ durations of each DAG
runs that wait, schedules that lag        │ functions and Step Functions: errors, throttles
cost a day                                │ failures lately, with links to their logs
then, of the DAG that is chosen in a list: what `infra.dags.dashboard` shows of one

One, since each costs $3 a month where an account has used up the three that are free.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.arns import Arns
from infra.dags.dashboard import HEIGHT, WIDTH, Shown, Widget, body
from infra.settings import Settings
from stepweave.deployed import names
from stepweave.pricing.prices import PRICES

CHOSEN = "chosen-dag"
"""Stands for the DAG that is chosen, in names and addresses; no DAG can be called so."""
DAY = 86_400


def fleet_body(arns: Arns, settings: Settings, dags: Sequence[str]) -> dict[str, Any]:
    """The dashboard's body; ``dags`` are those to choose from."""
    rows = [
        [_runs(arns), _success(arns)],
        [_durations(arns, "p50"), _durations(arns, "p95"), _durations(arns, "p99")],
        [_waiting(arns), _late(arns)],
        [_functions(arns), _transitions(arns)],
        [_cost(arns, settings), _failures(arns)],
    ]
    fleet = [widget for y, row in enumerate(rows) for widget in _placed(row, y)]
    below = [{**one, "y": one["y"] + len(rows) * HEIGHT} for one in _chosen(arns)]
    return {"start": "-P7D", "widgets": [*fleet, *below], "variables": [_choice(dags)]}


def _chosen(arns: Arns) -> list[Widget]:
    """What is shown of one DAG."""
    shown = Shown(
        env=arns.env,
        dag=CHOSEN,
        doc="Chosen above.",
        region=arns.region,
        machine_arn=arns.machine(CHOSEN),
        task_log_group=names.task_log_group(arns.env, CHOSEN),
        job_log_group="",  # a query over a group that is not there fails, and not every DAG has jobs
        has_schedule=True,
    )
    widgets: list[Widget] = body(shown)["widgets"]
    return widgets


def _choice(dags: Sequence[str]) -> dict[str, Any]:
    """The list to choose from: what is chosen takes the place of :data:`CHOSEN` everywhere."""
    return {
        "type": "pattern",
        "pattern": CHOSEN,
        "inputType": "select",
        "id": "dag",
        "label": "DAG",
        "visible": True,
        "defaultValue": dags[0] if dags else CHOSEN,
        "values": [{"value": dag, "label": dag} for dag in dags],
    }


def _runs(arns: Arns) -> Widget:
    ended = (
        ("RunsSucceeded", "succeeded", "#2ca02c"),
        ("RunsFailed", "failed", "#d62728"),
        ("RunsTimedOut", "timed out", "#ff7f0e"),
        ("RunsAborted", "cancelled", "#7f7f7f"),
    )
    metrics = [
        _ours(name, arns, {"stat": "Sum", "label": label, "color": color}) for name, label, color in ended
    ]
    return _graph("Runs that ended", arns, metrics, stacked=True, period=3600)


def _success(arns: Arns) -> Widget:
    """By days: one without a failure has no value of it, and without ``FILL`` none of the whole expression."""
    share = "100 * FILL(good, 0) / (FILL(good, 0) + FILL(bad, 0) + FILL(late, 0))"
    metrics = [
        [{"expression": share, "label": "succeeded, %", "id": "share"}],
        _ours("RunsSucceeded", arns, {"id": "good", "stat": "Sum", "visible": False}),
        _ours("RunsFailed", arns, {"id": "bad", "stat": "Sum", "visible": False}),
        _ours("RunsTimedOut", arns, {"id": "late", "stat": "Sum", "visible": False}),
    ]
    widget = _graph("Share of success, by day", arns, metrics, period=DAY)
    widget["properties"]["yAxis"] = {"left": {"min": 0, "max": 100}}
    return widget


def _durations(arns: Arns, statistic: str) -> Widget:
    machines = f'{{AWS/States,StateMachineArn}} MetricName="ExecutionTime" {names.PRODUCT}-{arns.env}'
    metrics = [[_search(machines, statistic, 3600, label="${PROP('Dim.StateMachineArn')}")]]
    return _graph(f"Milliseconds of a run, {statistic}", arns, metrics, period=3600)


def _waiting(arns: Arns) -> Widget:
    metrics: list[list[Any]] = [
        _ours("QueuedRuns", arns, {"stat": "Maximum", "label": "runs that wait"}),
        [_search(_of_dags("RunQueuedSeconds", arns), "Maximum", 300, label=_DAG_SECONDS) | _RIGHT],
    ]
    return _graph("Waiting for their turn", arns, metrics)


def _late(arns: Arns) -> Widget:
    metrics: list[list[Any]] = [
        _ours("MissedSchedules", arns, {"stat": "Sum", "label": "missed", "color": "#d62728"}),
        [_search(_of_dags("ScheduleLagSeconds", arns), "Maximum", 300, label=_DAG_SECONDS) | _RIGHT],
    ]
    return _graph("Schedules: missed, and seconds late", arns, metrics)


def _functions(arns: Arns) -> Widget:
    metrics = [
        [{"expression": f"SUM({_of_functions(metric, arns, 300)})", "label": label, "color": color}]
        for metric, label, color in (("Errors", "errors", "#d62728"), ("Throttles", "throttled", "#ff7f0e"))
    ]
    return _graph("Functions: errors of tasks are among them", arns, metrics)


def _transitions(arns: Arns) -> Widget:
    of_account = ["ServiceMetric", "StateTransition"]
    metrics: list[list[Any]] = [
        ["AWS/States", "ConsumedCapacity", *of_account, {"stat": "Sum", "label": "transitions"}],
        [
            "AWS/States",
            "ThrottledEvents",
            *of_account,
            {"stat": "Sum", "label": "throttled", "color": "#d62728"},
        ],
    ]
    return _graph("State transitions of the account", arns, metrics)


def _cost(arns: Arns, settings: Settings) -> Widget:
    """What runs cost, for the greater part: function time as if every function had 1 GiB."""
    second = PRICES[f"lambda_{settings.architecture}"].usd
    call, transition = PRICES["lambda_request"].usd, PRICES["transition"].usd
    seconds = f"SUM({_of_functions('Duration', arns, DAY)}) / 1000"
    calls = f"SUM({_of_functions('Invocations', arns, DAY)})"
    functions = f"{seconds} * {second:.10f} + {calls} * {call:.8f}"
    steps = {"id": "steps", "stat": "Sum", "visible": False}
    metrics: list[list[Any]] = [
        [{"expression": f"steps * {transition:.9f}", "label": "state transitions (account), $"}],
        [{"expression": functions, "label": "functions, as if 1 GiB, $"}],
        ["AWS/States", "ConsumedCapacity", "ServiceMetric", "StateTransition", steps],
    ]
    title = "Cost a day, estimated; jobs and all else: Cost Explorer, by the tag stepweave:env"
    return _graph(title, arns, metrics, stacked=True, period=DAY)


def _failures(arns: Arns) -> Widget:
    group = names.function_log_group(arns.env, "recorder")
    query = (
        f"SOURCE '{group}' | filter message = 'recorded' and status in ['failed', 'timed_out']"
        " | fields @timestamp, dag, run, status, error, execution, logs | sort @timestamp desc | limit 50"
    )
    return {
        "type": "log",
        "properties": {"title": "Failures lately", "view": "table", "region": arns.region, "query": query},
    }


_DAG_SECONDS = "${PROP('Dim.dag')}, s"
_RIGHT = {"yAxis": "right"}


def _search(found: str, statistic: str, period: int, *, label: str) -> dict[str, Any]:
    """Every metric that is found: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html"""
    return {"expression": f"SEARCH('{found}', '{statistic}', {period})", "label": label}


def _of_dags(metric: str, arns: Arns) -> str:
    return f'{{Stepweave,env,dag}} MetricName="{metric}" env="{arns.env}"'


def _of_functions(metric: str, arns: Arns, period: int) -> str:
    found = f'{{AWS/Lambda,FunctionName}} MetricName="{metric}" {names.PRODUCT}-{arns.env}'
    return f"SEARCH('{found}', 'Sum', {period})"


def _ours(metric: str, arns: Arns, rendered: dict[str, Any]) -> list[Any]:
    return ["Stepweave", metric, "env", arns.env, rendered]


def _graph(
    title: str, arns: Arns, metrics: Sequence[Sequence[Any]], *, stacked: bool = False, period: int = 300
) -> Widget:
    properties = {
        "title": title,
        "view": "timeSeries",
        "stacked": stacked,
        "region": arns.region,
        "period": period,
        "metrics": [list(metric) for metric in metrics],
    }
    return {"type": "metric", "properties": properties}


def _placed(row: Sequence[Widget], y: int) -> list[Widget]:
    """A row of widgets of the same width."""
    width = 2 * WIDTH // len(row)
    return [
        {**widget, "x": number * width, "y": y * HEIGHT, "width": width, "height": HEIGHT}
        for number, widget in enumerate(row)
    ]
