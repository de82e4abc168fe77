"""`task_objects`: the tasks of a run as ``--json`` prints them, of one that has just ended and of a recorded one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from stepweave.embedded.taskruns import TaskRun

MAX_ITEM_VALUES = 1_000
"""Items of a map whose values are printed; the values of more are found in the store."""

Value = Callable[[TaskRun], dict[str, object]]
"""``{"value": …}`` of a task run that succeeded; empty when there is none to print."""


def task_objects(
    tasks: Mapping[str, TaskRun], maps: Mapping[str, Sequence[TaskRun]], value_of: Value
) -> dict[str, object]:
    """Task id to object; a task with items, rounds or runs inside bodies has them in its ``map``."""
    return {task: {**_object(run, value_of), **_map(run, maps, value_of)} for task, run in tasks.items()}


def _map(run: TaskRun, maps: Mapping[str, Sequence[TaskRun]], value_of: Value) -> dict[str, object]:
    runs = maps.get(run.task)
    if runs is None:
        return {"map": []} if run.items is not None else {}
    with_values = len(runs) <= MAX_ITEM_VALUES
    return {"map": [_item(item, value_of if with_values else _no_value) for item in runs]}


def _item(run: TaskRun, value_of: Value) -> dict[str, object]:
    label: dict[str, object] = {"label": run.label} if run.label else {}
    return {"index": run.index, **label, **_object(run, value_of)}


def _object(run: TaskRun, value_of: Value) -> dict[str, object]:
    found: dict[str, object] = {
        "status": run.status,
        "attempts": run.attempts,
        "duration_seconds": round(run.duration_seconds, 6),
    }
    if run.status == "success":
        found |= value_of(run)
    if run.error:
        found["error"] = {"type": run.error, "message": run.message}
    if run.chosen is not None:
        found["chosen"] = list(run.chosen)
    if run.level:
        found["level"] = run.level
    if run.undone:
        found["undone"] = run.undone == "success"
    return found


def _no_value(run: TaskRun) -> dict[str, object]:
    return {}
