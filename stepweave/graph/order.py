"""Reachability in a DAG: order, neighbours, ancestors, transitive reduction.

Sets of tasks are Python integers used as bitsets (bit *i* is the *i*-th task of :func:`topological_order`): one
union of two sets of 10,000 tasks is a single operation on 1.25 KB. All answers depend on the graph alone and are
given in the order in which the tasks were written.

The graph must be acyclic where an order is asked for; upstream ids that no task has are ignored, so that a graph
with mistakes can still be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import TypeAlias

from stepweave.errors import DagError, Problem
from stepweave.graph.model import Graph, Task
from stepweave.graph.problems import problem_at


def predecessors(task: Task) -> tuple[str, ...]:
    """Ids of the tasks that come directly before ``task``: its upstream tasks, and the deciders of its guards."""
    if not task.guards:
        return task.upstream
    return tuple(dict.fromkeys((*task.upstream, *(guard.decider for guard in task.guards))))


def topological_order(graph: Graph) -> tuple[str, ...]:
    """Task ids, upstream first; among tasks that may come next, the one written first comes next.

    Where the tasks were written upstream first, this is the order written. Raises ``DagError`` on a cycle.
    """
    written = {task.id: index for index, task in enumerate(graph.tasks)}
    below = downstream(graph)
    missing = [sum(up in written for up in predecessors(task)) for task in graph.tasks]
    ready = [index for index, count in enumerate(missing) if count == 0]
    heapify(ready)
    order: list[str] = []
    while ready:
        task_id = graph.tasks[heappop(ready)].id
        order.append(task_id)
        for successor in below[task_id]:
            index = written[successor]
            missing[index] -= 1
            if missing[index] == 0:
                heappush(ready, index)
    if len(order) < len(graph.tasks):
        raise DagError([cycle_problem(graph, find_cycle(graph))])
    return tuple(order)


def downstream(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Ids of the tasks directly after every task (guarded ones after what decides), in the order written."""
    below: dict[str, list[str]] = {task.id: [] for task in graph.tasks}
    for task in graph.tasks:
        for up in predecessors(task):
            if up in below:
                below[up].append(task.id)
    return {task_id: tuple(ids) for task_id, ids in below.items()}


def sources(graph: Graph) -> tuple[str, ...]:
    """Ids of the tasks with nothing before them, in the order written."""
    return tuple(task.id for task in graph.tasks if not predecessors(task))


def sinks(graph: Graph) -> tuple[str, ...]:
    """Ids of the tasks with nothing downstream, in the order written."""
    below = downstream(graph)
    return tuple(task.id for task in graph.tasks if not below[task.id])


Parents: TypeAlias = Mapping[str, Sequence[str]]
"""Per task, the tasks directly before it, as some phase sees them."""


def parents_of(graph: Graph) -> dict[str, tuple[str, ...]]:
    """The predecessors of every task, in the order written."""
    return {task.id: predecessors(task) for task in graph.tasks}


def ancestors(
    graph: Graph, order: Sequence[str] | None = None, parents: Parents | None = None
) -> dict[str, int]:
    """Bitset of all tasks before each task, itself not included.

    Bit *i* is ``order[i]``; ``order`` is :func:`topological_order` and ``parents`` :func:`parents_of` unless given.
    """
    order = topological_order(graph) if order is None else order
    parents = parents_of(graph) if parents is None else parents
    with_self: dict[str, int] = {}
    above: dict[str, int] = {}
    for index, task_id in enumerate(order):
        bits = 0
        for up in parents[task_id]:
            bits |= with_self.get(up, 0)
        above[task_id] = bits
        with_self[task_id] = bits | (1 << index)
    return above


def transitive_reduction(
    graph: Graph, order: Sequence[str] | None = None, parents: Parents | None = None
) -> dict[str, tuple[str, ...]]:
    """Ids before each task without those that another one of them already implies, in the order written.

    For a → b → c and a → c, the upstream of c is ``("b",)``. Tasks are keyed in the order written.
    """
    order = topological_order(graph) if order is None else order
    parents = parents_of(graph) if parents is None else parents
    position = {task_id: index for index, task_id in enumerate(order)}
    above = ancestors(graph, order, parents)
    return {task.id: _without_implied(tuple(parents[task.id]), position, above) for task in graph.tasks}


def _without_implied(
    upstream: tuple[str, ...], position: dict[str, int], above: dict[str, int]
) -> tuple[str, ...]:
    if len(upstream) < 2:
        return upstream
    covered = 0
    kept: set[str] = set()
    # Latest first: a task can only be implied by one that comes after it in the order.
    for up in sorted((up for up in upstream if up in position), key=position.__getitem__, reverse=True):
        if not covered >> position[up] & 1:
            kept.add(up)
            covered |= above[up]
    return tuple(up for up in upstream if up in kept)


def find_cycle(graph: Graph) -> tuple[str, ...]:
    """Ids along one cycle in the direction of the edges, the first written task of it first; empty when acyclic."""
    done: set[str] = set()
    for root in graph.tasks:
        path: list[str] = []
        on_path: dict[str, int] = {}
        stack = [(root.id, False)]
        while stack:
            task_id, leaving = stack.pop()
            if leaving:
                done.add(task_id)
                del on_path[path.pop()]
            elif task_id in on_path:
                return _from_first_written(graph, path[on_path[task_id] :][::-1])
            elif task_id not in done and task_id in graph:
                on_path[task_id] = len(path)
                path.append(task_id)
                stack.append((task_id, True))
                stack.extend((up, False) for up in reversed(predecessors(graph[task_id])))
    return ()


def _from_first_written(graph: Graph, ring: list[str]) -> tuple[str, ...]:
    members = set(ring)
    first = next(task.id for task in graph.tasks if task.id in members)
    turn = ring.index(first)
    return tuple(ring[turn:] + ring[:turn])


def cycle_problem(graph: Graph, ring: Sequence[str]) -> Problem:
    """The problem that describes the cycle ``ring``, as :func:`find_cycle` returns it."""
    return problem_at(
        graph[ring[0]].source,
        "cycle",
        f"tasks wait for each other: {' → '.join((*ring, ring[0]))}",
        task=ring[0],
        expected="a graph without cycles",
        fix=f"remove one of these edges, e.g. {ring[-1]} >> {ring[0]}",
    )
