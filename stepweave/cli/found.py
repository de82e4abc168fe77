"""Runs by what people type (``latest``, the beginning of an id), and how a recorded run looks as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from stepweave.embedded.processes import is_alive
from stepweave.embedded.recorded import task_run_of
from stepweave.embedded.summing import add_up
from stepweave.embedded.taskruns import ENDED, TaskRun
from stepweave.errors import UsageError
from stepweave.stores.records import Records, RunRow, database_path

LATEST = "latest"
MAX_NAMED = 5
LOOKED_AT = 100
"""Newest runs among which ``latest`` is looked for: the runs inside a run may be many, and newer than it."""

_KILLED: dict[str, Any] = {
    "status": "failed",
    "error_type": "Cancelled",
    "error_message": "the process of the run ended",
}


def open_records(store: str) -> Records:
    """The records of the runs in ``store``."""
    return Records(database_path(store))


def find_run(records: Records, name: str, store: str) -> RunRow:
    """The run that ``name`` means: ``latest``, a run id, or the beginning of exactly one."""
    found = _latest(records) if name == LATEST else records.find(name)
    if len(found) == 1:
        return found[0]
    if found:
        named = "\n".join(f"  {row.run_id}" for row in found[:MAX_NAMED])
        raise UsageError(f"{name!r} is the beginning of {len(found)} run ids; type more of one:\n{named}")
    if not records.runs(limit=1):
        raise UsageError(
            f"there are no runs in {store!r}; start one with: stepweave run TARGET (--store names another folder)"
        )
    raise UsageError(f"no run id begins with {name!r} in {store!r}; see: stepweave runs")


def _latest(records: Records) -> list[RunRow]:
    """The newest run, if there is any: one that is no task of another run, which is listed under that one."""
    begun = records.runs(limit=LOOKED_AT)
    return ([row for row in begun if row.parent is None] or begun)[:1]


def root_of(records: Records, row: RunRow) -> RunRow:
    """The run in whose process a run is: itself, unless it is a task of another one."""
    while row.parent is not None and (around := records.run(row.parent)) is not None:
        row = around
    return row


def status_now(row: RunRow) -> str:
    """The run's status; ``failed`` when the process that ran it is gone without a word."""
    if row.status in ("running", "queued") and not is_alive(row.pid, row.pid_started_at):
        return "failed"
    return row.status


def error_now(row: RunRow) -> str:
    """Why the run failed; empty when it did not."""
    if status_now(row) != row.status:
        onward = f"; go on with: stepweave resume {row.run_id}" if row.parent is None else ""
        return f"process {row.pid} ended without finishing the run{onward}"
    return row.error or ""


def tasks_now(records: Records, run: RunRow) -> list[TaskRun]:
    """Every task run of the run, as reached; then the tasks inside bodies, summed up, and those it has not reached.

    What went on when the run's process was killed has failed.
    """
    rows = records.task_runs(run.run_id)
    if status_now(run) != run.status:
        rows = [row if row.status in ENDED else replace(row, **_KILLED) for row in rows]
    rows.sort(key=lambda row: (row.scheduled_at or float("inf"), row.task_id))
    reached = {row.task_id for row in rows if not row.map_index}
    missing = [task for task in json.loads(run.tasks) if task not in reached]
    runs = [task_run_of(row) for row in rows]
    return [*runs, *_totals(missing, runs)]


def _totals(tasks: Iterable[str], runs: Iterable[TaskRun]) -> list[TaskRun]:
    """One task run for each of ``tasks``: what its runs in items and rounds come to, if it has any."""
    within: dict[str, list[TaskRun]] = {}
    for run in runs:
        within.setdefault(run.task, []).append(run)
    totals = [TaskRun(task) for task in tasks]
    for total in totals:
        if total.task in within:
            add_up(total, within[total.task])
    return totals


def run_object(row: RunRow) -> dict[str, object]:
    """The run as a JSON object, without its tasks."""
    wall = row.ended_at - row.started_at if row.ended_at is not None and row.started_at is not None else None
    return {
        "run_id": row.run_id,
        "dag_id": row.dag_id,
        "status": status_now(row),
        "params": json.loads(row.params),
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "wall_seconds": wall,
        "resumes": row.resumes,
        "error": error_now(row) or None,
        "logical_date": row.logical_date,
        "parent": row.parent,
    }
