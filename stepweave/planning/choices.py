"""`with_choices`: conditions put around the steps that they decide about.

A plan has a condition as a step of its own, and every step after it that it guards would have to ask what came out.
Where all that a condition decides about follows it directly, one `Choose` says it once, and only one case is entered:

    Sequence(Run(if), Parallel(a, b), after)   →   Sequence(Choose(if, {"if": a, "else": b}), after)

Steps are *settled* by a case when none of their tasks can run in any other. Cases that hold gates or signals stay as
they are: what waits in other branches must be told of each task by itself.
"""

from __future__ import annotations

from stepweave.graph.model import Graph
from stepweave.planning.model import (
    Await,
    Choose,
    Nested,
    Parallel,
    Plan,
    Run,
    Sequence,
    Signal,
    tasks_of,
    walk,
)
from stepweave.planning.needs import is_strict


def with_choices(graph: Graph, plan: Plan) -> Plan:
    """``plan`` with a `Choose` for every condition whose cases follow it directly."""
    if all(task.condition is None for task in graph.tasks):
        return plan
    done: list[Plan] = []
    stack: list[tuple[Plan, bool]] = [(plan, False)]
    while stack:
        node, inner_done = stack.pop()
        match node:
            case Sequence(steps=inner) | Parallel(branches=inner) if not inner_done:
                stack.append((node, True))
                stack.extend((part, False) for part in reversed(inner))
            case Sequence(steps=inner):
                done.append(_sequence(_chosen(graph, _pop(done, len(inner)))))
            case Parallel(branches=inner):
                done.append(Parallel(tuple(_pop(done, len(inner)))))
            case _:
                done.append(node)
    return done[0]


def _pop(done: list[Plan], count: int) -> list[Plan]:
    parts = done[-count:]
    del done[-count:]
    return parts


def _sequence(steps: list[Plan]) -> Plan:
    return steps[0] if len(steps) == 1 else Sequence(tuple(steps))


def _chosen(graph: Graph, steps: list[Plan]) -> list[Plan]:
    """``steps`` of a sequence, its conditions with what they settle; the last first, so that inner ones come first."""
    result: list[Plan] = []
    for step in reversed(steps):
        if isinstance(step, Run) and graph[step.task].condition is not None:
            cases, used = _cases(graph, step.task, result[::-1])
            if cases:
                del result[len(result) - used :]
                step = Choose(step.task, cases)
        result.append(step)
    return result[::-1]


def _cases(graph: Graph, condition: str, following: list[Plan]) -> tuple[tuple[tuple[str, Plan], ...], int]:
    """The cases of ``condition`` with their steps, and how many of the ``following`` steps they hold."""
    if not following or not all(_is_plain(step) for step in following[:1]):
        return (), 0
    first = following[0]
    branches = first.branches if isinstance(first, Parallel) else (first,)
    settled: set[str] = set()
    by_case: dict[str, list[Plan]] = {}
    for branch in branches:
        case = _case_of(graph, condition, branch, settled)
        if case is None:
            return (), 0
        by_case.setdefault(case, []).append(branch)
    if len(by_case) > 1:
        return tuple((case, _side_by_side(parts)) for case, parts in by_case.items()), 1
    (only,) = by_case
    used = 1
    while used < len(following) and _is_plain(following[used]):
        if _case_of(graph, condition, following[used], settled) != only:
            break
        used += 1
    return ((only, _sequence(following[:used])),), used


def _side_by_side(parts: list[Plan]) -> Plan:
    return parts[0] if len(parts) == 1 else Parallel(tuple(parts))


def _is_plain(plan: Plan) -> bool:
    return not any(isinstance(step, Await | Signal | Nested) for step in walk(plan))


def _case_of(graph: Graph, condition: str, plan: Plan, settled: set[str]) -> str | None:
    """The one case in which anything of ``plan`` can run; its tasks are then ``settled``. None where there is none."""
    found: set[str] = set()
    for task_id in tasks_of(plan):
        task = graph[task_id]
        own = [guard for guard in task.guards if guard.decider == condition]
        if own:
            if len(own) > 1 or len(own[0].cases) != 1 or not own[0].block:
                return None
            found.add(own[0].cases[0])
        elif not (is_strict(task) and task.upstream and settled.issuperset(task.upstream)):
            return None
        settled.add(task_id)
    return found.pop() if len(found) == 1 else None
