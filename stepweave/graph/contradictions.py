"""`contradictions`: what no task shows by itself: breakers with two definitions, tasks that can never run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stepweave.errors import Problem
from stepweave.graph.constructs import Breaker
from stepweave.graph.model import Graph, Task
from stepweave.graph.problems import problem_at

_NEEDS_ALL = frozenset({"all_success", "none_skipped"})
"""Trigger rules by which one skipped task is enough to skip the next."""


def contradictions(graph: Graph) -> Iterator[Problem]:
    """All contradictions in ``graph`` and the bodies inside it."""
    yield from _contradictions(graph, {})


def _contradictions(graph: Graph, breakers: dict[str, tuple[Breaker, Task]]) -> Iterator[Problem]:
    for task in graph.tasks:
        yield from _breaker_problems(task, breakers)
        if task.trigger_rule in _NEEDS_ALL:
            yield from _never_runs(graph, task)
        if task.body is not None:
            yield from _contradictions(task.body.graph, breakers)


def _breaker_problems(task: Task, breakers: dict[str, tuple[Breaker, Task]]) -> Iterator[Problem]:
    """``breakers``: how each was defined first, and by which task."""
    if task.breaker is None:
        return
    first, by = breakers.setdefault(task.breaker.name, (task.breaker, task))
    if first != task.breaker:
        yield problem_at(
            task.source,
            "breaker-conflict",
            f"circuit breaker {first.name!r} is defined in two ways; all tasks that name it share one",
            task=task.id,
            expected=f"{_limits(first)}, as for task {by.id!r}",
            got=_limits(task.breaker),
            fix=f"write {first.name.replace('-', '_').upper()} = Breaker(...) once, and breaker= that everywhere",
        )


def _limits(breaker: Breaker) -> str:
    return f"failures={breaker.failures}, reset={breaker.reset_seconds}"


def _never_runs(graph: Graph, task: Task) -> Iterator[Problem]:
    """A task that needs tasks of two blocks of one ``If``: never are both chosen."""
    taken: dict[str, tuple[str, frozenset[str]]] = {}
    for one in (task, *(graph[up] for up in task.upstream if up in graph)):
        for decider, cases in _blocks(one):
            other, among = taken.setdefault(decider, (one.id, cases))
            if among & cases:
                continue
            inside = other == task.id
            yield problem_at(
                task.source,
                "never-runs",
                f"it can never run: it is in another block of {decider!r} than {one.id!r}, which it needs"
                if inside
                else f"it can never run: {other!r} and {one.id!r} are in different blocks of {decider!r}",
                task=task.id,
                expected="tasks of one block, or a trigger rule that lets a skipped task pass",
                got=f"trigger_rule={task.trigger_rule!r}",
                fix="use a task of the same block, or one before the If"
                if inside
                else "write trigger_rule='none_failed_min_one_success'",
            )
            return


def _blocks(task: Task) -> Iterable[tuple[str, frozenset[str]]]:
    """The conditions around a task, and the cases in which it runs."""
    for guard in task.guards:
        if guard.block:
            yield guard.decider, frozenset(guard.cases)
    if task.speculation is not None:
        yield task.speculation.decider, frozenset(task.speculation.cases)
