"""Lazy tasks: run only if a task that needs them runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from stepweave.authoring.nodes import Node, Scope
from stepweave.graph.constructs import Guard


def drop_unused(scope: Scope, used: Collection[str]) -> None:
    """Take lazy tasks that nobody needs out of the graph; ``used`` are ids that count as needed."""
    while unused := _unused(scope, used):
        for node in unused:
            del scope.nodes[node.id], node.trace.nodes[node.id]


def _unused(scope: Scope, used: Collection[str]) -> list[Node]:
    lazy = [node for node in scope.nodes.values() if node.options.lazy and node.id not in used]
    if not lazy:
        return []
    needed = {up for node in scope.nodes.values() for up in node.upstream}
    return [node for node in lazy if node.id not in needed]


def guard_lazy(scope: Scope, used: Collection[str]) -> None:
    """Give each lazy task the guards that all tasks that need it have in common."""
    waiting = [node for node in scope.nodes.values() if node.options.lazy and node.id not in used]
    while waiting:
        # A task is settled after those that need it: what guards them then guards it too.
        undecided = {node.id for node in waiting}
        ready = [one for one in waiting if not any(other.id in undecided for other in _consumers(scope, one))]
        for node in ready or waiting:  # none is ready on a cycle, which the check of the graph reports
            node.guards = (*node.guards, *_common(_consumers(scope, node), node.guards))
        waiting = [node for node in waiting if ready and node not in ready]


def _consumers(scope: Scope, node: Node) -> list[Node]:
    return [other for other in scope.nodes.values() if node.id in other.upstream]


def _common(consumers: Iterable[Node], known: Collection[Guard]) -> list[Guard]:
    first, *others = consumers
    shared = [guard for guard in first.guards if guard not in known]
    return [guard for guard in shared if all(guard in other.guards for other in others)]
