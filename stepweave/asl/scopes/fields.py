"""Parts of items and states that expressions inside a body read, and so must be known to the state machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stepweave.graph.bindings import expressions_in, expressions_of, inner_bindings
from stepweave.graph.model import (
    Binding,
    FromItem,
    FromState,
    FromTask,
    Graph,
    Path,
    Reference,
    Task,
    references,
)


def state_paths(loop: Task) -> tuple[Path, ...]:
    """Parts of the state of ``loop`` that expressions in its body read, as a round got it."""
    operands = _operands_inside(loop)
    found = (o.path for o in operands if isinstance(o, FromState) and o.node == loop.id and not o.counter)
    return tuple(dict.fromkeys(found))


def item_parts(node: Task) -> tuple[tuple[str, Path], ...]:
    """Parameter and path of the parts of an item of ``node`` that expressions in its body read."""
    operands = _operands_inside(node)
    return tuple(
        dict.fromkeys((o.name, o.path) for o in operands if isinstance(o, FromItem) and o.node == node.id)
    )


def _operands_inside(node: Task) -> Iterator[Reference]:
    """Operands of every expression that is evaluated inside the body of ``node``, however deep."""
    if node.body is None:
        return
    for task in node.body.graph.tasks:
        for expression in expressions_of(task):
            yield from expression.operands
        for binding in inner_bindings(task):
            for expression in expressions_in(binding):
                yield from expression.operands
        yield from _operands_inside(task)


def with_fields(graph: Graph, *read: Binding) -> Graph:
    """``graph`` with every part that the bindings ``read`` refer to among the fields of its task."""
    wanted: dict[str, list[Path]] = {}
    for binding in read:
        for reference in references(binding):
            if isinstance(reference, FromTask) and reference.task in graph:
                wanted.setdefault(reference.task, []).append(reference.path)
    if not wanted:
        return graph
    tasks = (
        replace(task, fields=tuple(dict.fromkeys((*task.fields, *wanted.get(task.id, ())))))
        for task in graph.tasks
    )
    return replace(graph, tasks=tuple(tasks))
