"""`waits_for(graph)`: what each task waits for along the branches of the machine.

ordinary rules           its upstream tasks and the deciders of its guards
``always``               the deciders alone
``one_*``, of several    what all its upstream tasks wait for too, and the deciders; the rest is met at a gate
                         which opens as soon as the rule is decided
"""

from __future__ import annotations

from collections.abc import Iterator

from stepweave.graph.model import Graph, Task
from stepweave.graph.order import predecessors, topological_order
from stepweave.graph.outcomes import EARLY_RULES


def is_early(task: Task) -> bool:
    """Whether ``task`` may start although not all its upstream tasks have ended, at the word of one of them."""
    return task.trigger_rule in EARLY_RULES and len(task.upstream) > 1


def awaits_all(task: Task) -> bool:
    """Whether all upstream tasks of ``task`` have ended when it starts."""
    return task.trigger_rule != "always" and not is_early(task)


def waits_for(graph: Graph, order: tuple[str, ...] | None = None) -> dict[str, tuple[str, ...]]:
    """Ids that each task waits for, in the order written; ``order`` is :func:`topological_order`."""
    order = topological_order(graph) if order is None else order
    if all(awaits_all(task) for task in graph.tasks):
        return {task.id: predecessors(task) for task in graph.tasks}
    position = {task_id: index for index, task_id in enumerate(order)}
    waits: dict[str, tuple[str, ...]] = {}
    above: dict[str, int] = {}
    for task_id in order:
        task = graph[task_id]
        deciders = tuple(dict.fromkeys(guard.decider for guard in task.guards))
        if task.trigger_rule == "always":
            waits[task_id] = deciders
        elif is_early(task):
            common = -1
            for up in task.upstream:
                common &= above[up]
            shared = tuple(order[index] for index in _bits(common))
            waits[task_id] = tuple(dict.fromkeys((*shared, *deciders)))
        else:
            waits[task_id] = predecessors(task)
        above[task_id] = 0
        for up in waits[task_id]:
            above[task_id] |= above[up] | 1 << position[up]
    return {task.id: waits[task.id] for task in graph.tasks}


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
