"""A drawn graph written once more as a user would: with tasks, ``If`` blocks, ``expand`` and groups."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from stepweave import Elif, Else, If, Retry, chain, dag, task, task_group
from stepweave.graph.constructs import ELSE, Guard
from stepweave.graph.model import FromTask, Graph, Task
from tests.control.drawing import Drawn

WRITABLE = frozenset({"conditions", "rules", "maps", "groups", "sensors", "retries"})
"""Features of drawn runs that can be written so."""


@task
def step(x0: Any = None, x1: Any = None, x2: Any = None, item: Any = None) -> Any: ...


@task.sensor(poke_interval=5, timeout=20)
def arrived(x0: Any = None, x1: Any = None, x2: Any = None) -> Any: ...


def written(drawn: Drawn) -> Drawn:
    """The same run, with the graph that authoring makes of it."""

    def flow(**params: Any) -> None:
        _Writer(params).write(drawn.graph.tasks, {})

    keyword = inspect.Parameter.KEYWORD_ONLY
    flow.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, keyword, default=ELSE, annotation=str) for name in drawn.params]
    )
    flow.__annotations__ = dict.fromkeys(drawn.params, str)
    return replace(drawn, graph=dag(dag_id="written")(flow).graph())


def without_order_on_conditions(graph: Graph) -> Graph:
    """``graph`` without what nobody can write: that a task comes after a condition and is not in a block of it."""
    names = {one.id for one in graph.tasks if one.condition}
    tasks = tuple(
        replace(
            one,
            upstream=tuple(up for up in one.upstream if up not in names),
            body=replace(one.body, graph=without_order_on_conditions(one.body.graph)) if one.body else None,
        )
        for one in graph.tasks
    )
    return replace(graph, tasks=tasks)


class _Writer:
    """Writes the tasks of a DAG; the blocks of an ``If`` are open while their tasks are written."""

    def __init__(self, params: dict[str, Any]) -> None:
        self._params = params
        self._conditions: dict[str, Task] = {}

    def write(self, tasks: Iterable[Task], outer: dict[str, Any]) -> dict[str, Any]:
        """The references to the tasks by id."""
        known = dict(outer)
        opened: list[tuple[Guard, Any]] = []
        for one in tasks:
            while [guard for guard, _ in opened] != [*one.guards[: len(opened)]]:
                opened.pop()[1].__exit__(None, None, None)
            for guard in one.guards[len(opened) :]:
                opened.append((guard, self._block(guard, known).__enter__()))
            if one.condition:
                self._conditions[one.id] = one
            else:
                known[one.id] = self._node(one, known)
        while opened:
            opened.pop()[1].__exit__(None, None, None)
        return known

    def _block(self, guard: Guard, known: dict[str, Any]) -> Any:
        (case,) = guard.cases
        if case == ELSE:
            return Else()
        condition = self._conditions[guard.decider].condition
        assert condition
        (operand,) = dict(condition.cases)[case].operands
        if isinstance(operand, FromTask):
            tested = known[operand.task][guard.decider] == case
        else:
            tested = self._params[guard.decider.replace(".", "_")] == case
        return If(tested, id=guard.decider.rpartition(".")[2]) if case == "if" else Elif(tested)

    def _node(self, one: Task, known: dict[str, Any]) -> Any:
        before = [known[up] for up in one.upstream]
        options: dict[str, Any] = {"trigger_rule": one.trigger_rule}
        if one.expansion:
            options["max_concurrency"] = one.expansion.max_concurrency
            options["tolerated_failures"] = one.expansion.tolerated_count
        name = one.id.rpartition(".")[2]
        if one.body:
            made = self._group(one, known).override(group_id=name, **options).expand(item=_items(one, known))
            for each in before:
                chain(each, made)
            return made
        options |= {"task_id": name}
        if one.retry.attempts:
            options["retry"] = Retry(attempts=one.retry.attempts, delay=one.retry.delay_seconds, jitter=False)
        arguments = {f"x{number}": value for number, value in enumerate(before)}
        if one.sensor:
            return arrived.override(**options, soft_fail=one.sensor.soft_fail)(**arguments)
        if not one.expansion:
            return step.override(**options)(**arguments)
        many = step.override(**options, batch_size=one.expansion.batch_size).partial(**arguments)
        return many.expand(item=_items(one, known))

    def _group(self, one: Task, known: dict[str, Any]) -> Any:
        assert one.body
        inner, result = one.body.graph.tasks, one.body.result

        def group(item: Any) -> Any:
            inside = self.write(inner, known)
            return inside[result.task] if isinstance(result, FromTask) else None

        return task_group(group)


def _items(one: Task, known: dict[str, Any]) -> Any:
    assert one.expansion
    ((_, items),) = one.expansion.arguments
    return known[items.task] if isinstance(items, FromTask) else json.loads(getattr(items, "json", "null"))
