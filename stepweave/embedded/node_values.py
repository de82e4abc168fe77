"""`NodeValues`: the values of a run's tasks as plain JSON, for people and for programs other than tasks.

A task has stored its value. What a map, a loop or a body is worth follows from the tasks in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepweave.embedded.places import Place, child_of, depth_of, places_of
from stepweave.embedded.result import RunResult
from stepweave.embedded.summing import in_order
from stepweave.embedded.taskruns import TaskRun
from stepweave.embedded.values import json_value
from stepweave.graph.constructs import NestedDag
from stepweave.graph.model import Binding, DictOf, FromTask, ListOf, Literal, Path
from stepweave.stores.objects import ObjectStore


class NoValue(Exception):
    """There is none, or it is too long to be shown."""


class NodeValues:
    """The values of one run that has ended."""

    def __init__(self, result: RunResult, store: ObjectStore) -> None:
        self._result, self._store = result, store
        self._places = places_of(result.graph)

    def of(self, run: TaskRun, limit: int) -> Any:
        """The value of a task run that succeeded; raises :class:`NoValue`. ``limit``: longest JSON text."""
        return _Reader(self._result, self._store, self._places, limit).value(run)


class _Reader:
    """Reads one value, as long as it is not too long."""

    def __init__(
        self, result: RunResult, store: ObjectStore, places: Mapping[str, Place], limit: int
    ) -> None:
        self._result, self._store, self._places, self._left = result, store, places, limit

    def value(self, run: TaskRun) -> Any:
        """The value of ``run``; raises :class:`NoValue`."""
        place = self._places[run.task]
        if run.status != "success" or depth_of(run.index) < place.depth:
            raise NoValue  # the second is the sum of a task's runs inside a body
        task = place.task
        is_one = depth_of(run.index) > place.depth
        if not is_one and task.loop is not None:
            return self._last_round(run)
        if not is_one and task.expansion is not None:
            return [self.value(item) for item in self._items(run) if item.status == "success"]
        if task.body is not None:
            if task.body.result is None:
                raise NoValue
            return self._binding(task.body.result, run.index)
        if task.nested is not None:
            return self._returned(task.nested, run)
        return self._stored(run)

    def _returned(self, nested: NestedDag, run: TaskRun) -> Any:
        """What a DAG inside this one returned, as far as it is what single tasks of it returned."""
        index = f".{run.index.replace('/', '.')}" if run.index else ""
        run_id = f"{self._result.run_id}.{run.task}{index}"

        def task_value(task: str) -> Any:
            return self._read(nested.dag, run_id, task, None, "")

        if nested.result is None:
            raise NoValue
        return _evaluated(nested.result, task_value)

    def _items(self, run: TaskRun) -> Sequence[TaskRun]:
        beginning = child_of(run.index, 0)[:-1]
        depth = depth_of(run.index) + 1
        found = self._result.maps.get(run.task, [])
        return in_order(
            item for item in found if item.index.startswith(beginning) and depth_of(item.index) == depth
        )

    def _last_round(self, run: TaskRun) -> Any:
        rounds = self._items(run)
        if not rounds:
            raise NoValue
        return self.value(rounds[-1])

    def _stored(self, run: TaskRun) -> Any:
        return self._read(self._result.dag_id, self._result.run_id, run.task, run.value, run.index)

    def _read(self, dag_id: str, run_id: str, task: str, inline: str | None, index: str) -> Any:
        text = json_value(self._store, dag_id, run_id, task, inline, self._left, index=index)
        if text is None:
            raise NoValue
        self._left -= len(text)
        return json.loads(text)

    def _binding(self, binding: Binding, index: str) -> Any:
        """What a body returns, at the index path of one of its runs."""

        def task_value(task: str) -> Any:
            run = self._at(task, index)
            return self.value(run) if run.status == "success" else None

        return _evaluated(binding, task_value)

    def _at(self, task: str, index: str) -> TaskRun:
        if not index:
            return self._result.tasks[task]
        for run in self._result.maps.get(task, []):
            if run.index == index:
                return run
        raise NoValue


def _evaluated(binding: Binding, task_value: Callable[[str], Any]) -> Any:
    """The value of ``binding``; raises :class:`NoValue` where it is not one of tasks."""
    match binding:
        case Literal(json=text):
            return json.loads(text)
        case FromTask(task=task, path=path):
            return _part(task_value(task), path)
        case ListOf(items=items):
            return [_evaluated(item, task_value) for item in items]
        case DictOf(items=pairs):
            return {key: _evaluated(value, task_value) for key, value in pairs}
    raise NoValue  # params, items and states are not known here


def _part(value: Any, path: Path) -> Any:
    for step in path if value is not None else ():
        try:
            value = value[step]
        except (LookupError, TypeError):
            raise NoValue from None
    return value
