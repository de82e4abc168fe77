"""Plain tasks made branches and short circuits, with the guards that this gives to what comes after them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from stepweave.graph.constructs import GO, Decision, Guard
from stepweave.graph.model import Task


def answers_fields(task: Task) -> bool:
    """Whether it is one call, whose answer may be anything that the world wants."""
    others = (task.condition, task.expansion, task.loop, task.body, task.sensor, task.approval, task.nested)
    return not any(others)


def with_branches(tasks: list[Task], one_in: Callable[[int], bool]) -> list[Task]:
    """Some plain tasks made branches or short circuits, with the guards that this gives to what comes after."""
    for task in list(tasks):
        after = [other.id for other in tasks if task.id in other.upstream]
        if not after or not answers_fields(task) or task.decides or not one_in(4):
            continue
        if one_in(2):
            tasks = _branching(tasks, task, after)
        else:
            tasks = _short_circuiting(tasks, task, after)
    return tasks


def _branching(tasks: list[Task], branch: Task, after: list[str]) -> list[Task]:
    """Each task right after it runs if it, or one right after it that leads there, is chosen."""
    reached = {name: _downstream(tasks, name) for name in after}
    decided = []
    for task in tasks:
        if task.id == branch.id:
            task = replace(task, decides=Decision(kind="branch", cases=tuple(after)))
        elif task.id in after:
            cases = (task.id, *(other for other in after if task.id in reached[other]))
            task = replace(task, guards=(*task.guards, Guard(decider=branch.id, cases=cases)))
        decided.append(task)
    return decided


def _short_circuiting(tasks: list[Task], gate: Task, after: list[str]) -> list[Task]:
    reached = _downstream(tasks, gate.id)
    guard = Guard(decider=gate.id, cases=(GO,))
    return [
        replace(task, decides=Decision(kind="short_circuit", cases=(GO,)))
        if task.id == gate.id
        else replace(task, guards=(*task.guards, guard))
        if task.id in reached
        else task
        for task in tasks
    ]


def _downstream(tasks: list[Task], start: str) -> set[str]:
    """Everything that comes after ``start``; tasks stand after their upstream tasks."""
    found = {start}
    for task in tasks:
        if not found.isdisjoint(task.upstream) or any(guard.decider in found for guard in task.guards):
            found.add(task.id)
    return found - {start}
