"""`restored`: executions and map runs as a journal holds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stepweave.engine.execution import Execution, Status
from stepweave.engine.history import History, Record
from stepweave.engine.journal import Journal, Kept
from stepweave.engine.map_runs import MAP_RUN_NOTE, MapRun, MapRunStatus
from stepweave.engine.place import EMBEDDED, Place

_ENDS: dict[str, Status] = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}

_MAP_RUN_ENDS: dict[str, MapRunStatus] = {
    "MapRunSucceeded": "SUCCEEDED",
    "MapRunFailed": "FAILED",
    "MapRunAborted": "ABORTED",
}


@dataclass(slots=True)
class Restored:
    """What a journal knew."""

    executions: dict[str, Execution] = field(default_factory=dict)
    records: dict[str, list[Record]] = field(default_factory=dict)
    """Events and notes of each execution."""
    map_runs: dict[str, MapRun] = field(default_factory=dict)
    """By ARN."""
    ended_tokens: set[str] = field(default_factory=set)
    """Tokens of tasks that have ended."""


def restored(journal: Journal, now: Callable[[], float], limit: float, place: Place = EMBEDDED) -> Restored:
    """Everything in ``journal``; histories go on being written there, ``limit`` events long at most."""
    result = Restored()
    for number, kept in enumerate(journal.kept):
        execution = _execution(kept, number, journal, now, limit, place)
        result.executions[execution.name] = execution
        result.records[execution.name] = kept.records
        result.map_runs |= _map_runs(kept.records, place)
        result.ended_tokens |= _ended_tokens(kept.records)
    return result


def _ended_tokens(records: list[Record]) -> set[str]:
    ended: set[str] = set()
    open_on: dict[int, str] = {}
    """The token of each line's task."""
    for kind, _, _, _, _, more, line in records:
        if kind.endswith("Scheduled"):
            if more[2] is not None:
                open_on[line] = more[2]
        elif kind.endswith(("Succeeded", "Failed", "TimedOut", "Aborted")) and line in open_on:
            ended.add(open_on.pop(line))
    return ended


def _map_runs(records: list[Record], place: Place) -> dict[str, MapRun]:
    """The map runs of one execution, by ARN, with what became of them."""
    runs: dict[str, MapRun] = {}
    on_line: dict[int, MapRun] = {}
    """The latest map run of each line."""
    for kind, _, at, _, data, more, line in records:
        if kind == MAP_RUN_NOTE:
            run = MapRun.from_note(data, place)
            runs[run.arn] = on_line[line] = run
        elif kind == "MapRunStarted":
            on_line.pop(line, None)
        elif kind.startswith("MapRun") and line in on_line:
            run = on_line[line]
            if kind == "MapRunRedriven":
                run.status, run.stopped_at, run.redrive_count = "RUNNING", None, more
            else:
                run.status, run.stopped_at = _MAP_RUN_ENDS[kind], at
    return runs


def _execution(
    kept: Kept, number: int, journal: Journal, now: Callable[[], float], limit: float, place: Place
) -> Execution:
    events = [record for record in kept.records if not record[0].startswith("~")]
    start: dict[str, Any] = dict(kept.start)
    del start["execution"]
    express = bool(start.get("express"))
    history = History(now, float("inf") if express else limit, journal.sink(number), events, place)
    execution = Execution(**start, history=history, place=place)
    redrives = [record for record in events if record[0] == "ExecutionRedriven"]
    if redrives:
        execution.redrive_count, execution.redriven_at = len(redrives), redrives[-1][2]
    if events and (status := _ENDS.get(events[-1][0])) is not None:
        _close(execution, status, events[-1])
    return execution


def _close(execution: Execution, status: Status, last: Record) -> None:
    execution.status, execution.stopped_at = status, last[2]
    if status == "SUCCEEDED":
        execution.output = last[4]
    else:
        execution.error, execution.cause = last[4]
