"""What comes after what, and what decides how a scope ends."""

from __future__ import annotations

from collections.abc import Iterator

from stepweave.graph.model import Graph, Task


def leaves(graph: Graph) -> tuple[str, ...]:
    """Tasks that decide the outcome: nothing but tear-downs comes after them. Tear-downs only where nothing else is."""
    counted = [task for task in graph.tasks if not task.teardown]
    inner = {before for task in counted for before in comes_after(task)}
    return tuple(task.id for task in counted or graph.tasks if task.id not in inner)


def comes_after(task: Task) -> tuple[str, ...]:
    """Ids that a task waits for: its upstream tasks, and what decides about it."""
    deciders = [guard.decider for guard in task.guards]
    if task.speculation:
        deciders.append(task.speculation.decider)
    return tuple(dict.fromkeys([*task.upstream, *deciders]))


def in_order(graph: Graph) -> Iterator[Task]:
    """The tasks of a graph, each after those that it waits for; of those that could come next the one written first."""
    left = {task.id: task for task in graph.tasks}
    while left:
        ready = [task for task in left.values() if not any(before in left for before in comes_after(task))]
        assert ready, f"a cycle among {sorted(left)}"
        yield left.pop(ready[0].id)


def compensated(graph: Graph) -> tuple[str, ...]:
    """Tasks that can be undone, the last first; those of a body are undone where its node stands, after the node."""
    found: list[str] = []
    for task in in_order(graph):
        found += reversed(compensated(task.body.graph)) if task.body else ()
        found += [task.id] if task.compensate else []
    return tuple(reversed(found))


def all_after(graph: Graph) -> dict[str, set[str]]:
    """For each task, those of bodies too, all that come after it; what is in a body comes where its node does."""
    after: dict[str, set[str]] = {task.id: set() for task in graph.tasks}
    for task in reversed(list(in_order(graph))):
        inside = all_after(task.body.graph) if task.body else {}
        for before in comes_after(task):
            after[before] |= {task.id, *inside} | after[task.id]
        after |= {name: later | after[task.id] for name, later in inside.items()}
    return after
