"""`body`: the dashboard of a DAG, as CloudWatch reads it.

runs, and how they ended │ how long they took, p50 p95 p99
tasks: seconds, p95      │ tasks: failures                       (from the logs: custom metrics would cost by task)
schedule: lag            │ Batch: waiting in the queue
failed tasks lately, with the log stream of each
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Widget: TypeAlias = dict[str, Any]

WIDTH = 12
HEIGHT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the dashboard is of."""

    env: str
    dag: str
    doc: str
    region: str
    machine_arn: str
    task_log_group: str
    job_log_group: str
    """Empty when no task runs on Batch."""
    has_schedule: bool


def body(shown: Shown) -> dict[str, Any]:
    """The dashboard's body."""
    logs = [group for group in (shown.task_log_group, shown.job_log_group) if group]
    widgets = [
        _text(f"# {shown.dag} in {shown.env}\n{shown.doc}"),
        _graph(
            "Runs",
            shown,
            [
                [*_states(shown, name), {"stat": "Sum", "label": label, "color": color}]
                for name, label, color in (
                    ("ExecutionsStarted", "started", "#1f77b4"),
                    ("ExecutionsSucceeded", "succeeded", "#2ca02c"),
                    ("ExecutionsFailed", "failed", "#d62728"),
                    ("ExecutionsTimedOut", "timed out", "#ff7f0e"),
                    ("ExecutionsAborted", "cancelled", "#7f7f7f"),
                )
            ],
        ),
        _graph(
            "Duration of runs (ms)",
            shown,
            [
                [*_states(shown, "ExecutionTime"), {"stat": stat, "label": stat}]
                for stat in ("p50", "p95", "p99")
            ],
        ),
        _log("Seconds of each task, p95", shown, logs, _SECONDS, "bar"),
        _log("Failures of each task", shown, logs, _FAILURES, "bar"),
        *_further(shown),
        _log("Failed tasks", shown, logs, _LATEST, "table", width=2 * WIDTH),
    ]
    return {"start": "-P7D", "widgets": list(_placed(widgets))}


_TASK_LINES = "filter ispresent(task) and ispresent(status)"
_SECONDS = f"{_TASK_LINES} | stats pct(seconds, 95) as p95 by task"
_FAILURES = f"{_TASK_LINES} and status = 'failed' | stats count(*) as failures by task"
_LATEST = (
    f"{_TASK_LINES} and status = 'failed' | fields @timestamp, run, task, index, attempt, error_class, @logStream, @log"
    " | sort @timestamp desc | limit 50"
)


def _further(shown: Shown) -> list[Widget]:
    found = []
    if shown.has_schedule:
        lag = ["Stepweave", "ScheduleLagSeconds", "env", shown.env, "dag", shown.dag, {"stat": "Maximum"}]
        found.append(_graph("Start after its time (s)", shown, [lag]))
    queued = ["Stepweave", "RunQueuedSeconds", "env", shown.env, "dag", shown.dag, {"stat": "Maximum"}]
    found.append(_graph("Runs waiting for their turn (s)", shown, [queued]))
    return found


def _states(shown: Shown, metric: str) -> list[str]:
    return ["AWS/States", metric, "StateMachineArn", shown.machine_arn]


def _text(markdown: str) -> Widget:
    return {"type": "text", "width": 2 * WIDTH, "height": 2, "properties": {"markdown": markdown}}


def _graph(title: str, shown: Shown, metrics: Sequence[Sequence[Any]]) -> Widget:
    properties = {
        "title": title,
        "view": "timeSeries",
        "region": shown.region,
        "period": 300,
        "metrics": [list(metric) for metric in metrics],
    }
    return {"type": "metric", "width": WIDTH, "height": HEIGHT, "properties": properties}


def _log(
    title: str, shown: Shown, groups: Sequence[str], query: str, view: str, width: int = WIDTH
) -> Widget:
    sources = " | ".join(f"SOURCE '{group}'" for group in groups)
    properties = {"title": title, "view": view, "region": shown.region, "query": f"{sources} | {query}"}
    return {"type": "log", "width": width, "height": HEIGHT, "properties": properties}


def _placed(widgets: Sequence[Widget]) -> Sequence[Widget]:
    """Widgets from left to right, then further down."""
    placed: list[Widget] = []
    x = y = height = 0
    for widget in widgets:
        if x + widget["width"] > 2 * WIDTH:
            x, y, height = 0, y + height, 0
        placed.append({**widget, "x": x, "y": y})
        x, height = x + widget["width"], max(height, widget["height"])
    return placed
