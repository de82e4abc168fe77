"""`cost_of_dag`, `cost_of_run`, `cost_of_all`: what runs cost, before they start and after they have ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stepweave.authoring.dags import Dag
from stepweave.cli.costs.often import runs_per_month
from stepweave.cli.costs.telling import bill_lines, dollars, line_objects, task_lines
from stepweave.cli.found import open_records, status_now, tasks_now
from stepweave.embedded.taskruns import TaskRun
from stepweave.graph.model import Graph
from stepweave.loading import load
from stepweave.pricing.estimating import Architecture, month_of
from stepweave.pricing.others import on_metaflow, on_mwaa
from stepweave.pricing.usage import Usage
from stepweave.simulation.replaying import replay
from stepweave.simulation.simulating import Estimate, estimate
from stepweave.stores.records import RunRow

MWAA_RUNS = 30.0
"""Runs a month among which an environment of MWAA is shared out where a DAG has no schedule: one a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a cost is asked for."""

    region: str
    architecture: Architecture
    runs: float | None = None
    """Runs a month; None for those of the schedule."""
    compare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """An answer: as JSON, and for people."""

    value: Mapping[str, Any]
    lines: Sequence[str]


def cost_of_dag(
    dag: Dag,
    seconds: Mapping[str, float],
    items: Mapping[str, int],
    chosen: Mapping[str, str],
    asked: Asked,
) -> Cost:
    """What a run of a DAG will cost in which every task succeeds."""
    graph = dag.graph()
    found = estimate(graph, seconds, items=items, chosen=chosen, architecture=asked.architecture)
    runs = asked.runs if asked.runs is not None else runs_per_month(dag.schedule)
    value = {"dag_id": graph.dag.id, **_object(found, asked, runs)}
    lines = [f"{graph.dag.id}: {dollars(value['usd'])} a run", *_lines(found, asked, runs)]
    if asked.compare:
        compared = _compared(graph, found, asked, runs)
        value["compared"] = compared
        lines += ["", "the same on", *_compared_lines(compared)]
    called = [task.id for task in graph.tasks if task.call]
    unknown = [task for task in called if task not in seconds]
    if unknown:
        lines += [
            "",
            f"{len(unknown)} of {len(called)} tasks have no known duration: 1 s each (--durations FILE)",
        ]
    return Cost(value=value, lines=lines)


def cost_of_run(row: RunRow, store: str, asked: Asked) -> Cost:
    """What a recorded run cost on AWS, or would have cost there."""
    records = open_records(store)
    runs = tasks_now(records, row)
    for child in records.children(row.run_id):
        runs += tasks_now(records, child)
    return cost_of_task_runs(
        row.run_id, status_now(row), load(row.target).graph(), runs, asked, executions=1 + row.resumes
    )


def cost_of_task_runs(
    run_id: str,
    status: str,
    graph: Graph,
    runs: Sequence[TaskRun],
    asked: Asked,
    *,
    executions: int = 1,
    transitions: int | None = None,
) -> Cost:
    """What a run with these task runs cost.

    Args:
        run_id: The run.
        status: How it ended.
        graph: The DAG.
        runs: Its task runs, and those of runs inside.
        asked: Region and architecture.
        executions: How often it was begun or resumed.
        transitions: Of all its executions, where they were counted.
    """
    found = replay(
        graph, runs, executions=executions, transitions=transitions, architecture=asked.architecture
    )
    value = {"run_id": run_id, "dag_id": graph.dag.id, "status": status, **_object(found, asked, None)}
    lines = [f"{run_id} ({status}): {dollars(value['usd'])}", *_lines(found, asked, None)]
    if transitions is None and (status != "success" or executions > 1):
        lines += ["", "each execution counts with the transitions of one that succeeds: it made fewer"]
    return Cost(value=value, lines=lines)


def cost_of_all(dags: Sequence[Dag], seconds: Mapping[str, Mapping[str, float]], asked: Asked) -> Cost:
    """What the runs of several DAGs cost a month; those without a schedule are listed, and count nothing."""
    rows: list[dict[str, Any]] = []
    month = Usage()
    for dag in dags:
        known = seconds.get(dag.id, {})
        found = estimate(dag.graph(), known, architecture=asked.architecture)
        runs = asked.runs if asked.runs is not None else runs_per_month(dag.schedule)
        used = month_of(found.usage.all, runs or 0.0)
        month = month + used
        rows.append(
            {
                "dag_id": dag.id,
                "usd": round(found.usage.all.usd(asked.region), 9),
                "runs_per_month": runs,
                "usd_per_month": round(used.usd(asked.region), 9),
            }
        )
    rows.sort(key=lambda row: (-row["usd_per_month"], -row["usd"], row["dag_id"]))
    value = {
        "region": asked.region,
        "dags": rows,
        "usd_per_month": round(month.usd(asked.region), 9),
        "usd_per_month_less_free": round(month.less_free().usd(asked.region), 9),
        "lines": line_objects(month, asked.region),
    }
    return Cost(value=value, lines=_table(rows, value))


def _table(rows: Sequence[Mapping[str, Any]], value: Mapping[str, Any]) -> list[str]:
    width = max((len(row["dag_id"]) for row in rows), default=3)
    lines = [f"{'DAG':<{width}}  {'A RUN':>11}  {'RUNS A MONTH':>12}  {'A MONTH':>10}"]
    for row in rows:
        runs = "–" if row["runs_per_month"] is None else f"{row['runs_per_month']:,.1f}"
        month = "" if row["runs_per_month"] is None else dollars(row["usd_per_month"])
        lines.append(f"{row['dag_id']:<{width}}  {dollars(row['usd']):>11}  {runs:>12}  {month:>10}".rstrip())
    less = dollars(value["usd_per_month_less_free"])
    lines += ["", f"{dollars(value['usd_per_month'])} a month by their schedules; {less} less the free tiers"]
    return lines


def _object(found: Estimate, asked: Asked, runs: float | None) -> dict[str, Any]:
    usage = found.usage.all
    value: dict[str, Any] = {
        "region": asked.region,
        "usd": round(usage.usd(asked.region), 9),
        "transitions": found.work.transitions,
        "lines": line_objects(usage, asked.region),
        "tasks": {task: round(each.usd(asked.region), 9) for task, each in found.usage.tasks.items()},
        "around": round(found.usage.around.usd(asked.region), 9),
    }
    if runs is not None:
        value["runs_per_month"] = runs
        value["usd_per_month"] = round(month_of(usage, runs).usd(asked.region), 9)
    return value


def _lines(found: Estimate, asked: Asked, runs: float | None) -> list[str]:
    lines = ["", *bill_lines(found.usage.all, asked.region), "", "by task"]
    priced = [(task, each.usd(asked.region)) for task, each in found.usage.tasks.items()]
    around = ("(transitions, gates, records, logs)", found.usage.around.usd(asked.region))
    lines += task_lines([*priced, around])
    if runs is not None:
        month = month_of(found.usage.all, runs).usd(asked.region)
        lines += ["", f"{runs:,.1f} runs a month: {dollars(month)}"]
    return lines


def _compared(graph: Graph, found: Estimate, asked: Asked, runs: float | None) -> dict[str, Any]:
    metaflow = on_metaflow(graph, found.work.calls, asked.architecture)
    return {
        "metaflow": {
            "usd": round(metaflow.usd(asked.region), 9),
            "transitions": int(metaflow.amounts["transition"]),
        },
        "mwaa": {
            "usd": round(on_mwaa(runs or MWAA_RUNS).usd(), 9),
            "usd_per_month": round(on_mwaa(1).usd(), 2),
            "runs_per_month": runs or MWAA_RUNS,
        },
    }


def _compared_lines(compared: Mapping[str, Any]) -> list[str]:
    metaflow, mwaa = compared["metaflow"], compared["mwaa"]
    return [
        f"  {dollars(metaflow['usd']):>12}  Metaflow on Step Functions: a Batch job for each step, "
        f"{metaflow['transitions']} transitions",
        f"  {dollars(mwaa['usd']):>12}  MWAA mw1.small ({dollars(mwaa['usd_per_month'])} a month), "
        f"shared by {mwaa['runs_per_month']:,.1f} runs a month",
    ]
