"""What a node reads: every binding of it, and every reference in them, wherever the node keeps them."""

from __future__ import annotations

from collections.abc import Iterator

from stepweave.graph.model import (
    Binding,
    DictOf,
    Expression,
    FromTask,
    Graph,
    ListOf,
    Reference,
    Task,
    references,
)


def bindings_of(task: Task) -> Iterator[Binding]:
    """The bindings that are read where the node stands: arguments, tests, lists to map over, the start of a loop."""
    for _, binding in task.arguments:
        yield binding
    if task.condition is not None:
        yield from (test for _, test in task.condition.cases)
    if task.expansion is not None:
        yield from (binding for _, binding in task.expansion.arguments)
    if task.loop is not None:
        yield task.loop.start
    if task.approval is not None:
        yield task.approval.message
    if task.nested is not None:
        yield from (binding for _, binding in task.nested.params)


def inner_bindings(task: Task) -> Iterator[Binding]:
    """The bindings that are read inside the body of a node: its result, and when a loop ends."""
    if task.body is not None and task.body.result is not None:
        yield task.body.result
    if task.loop is not None:
        yield task.loop.until


def read_by(task: Task) -> Iterator[Reference]:
    """Every reference in :func:`bindings_of`, in the order written."""
    for binding in bindings_of(task):
        yield from references(binding)


def captured(graph: Graph) -> tuple[str, ...]:
    """Ids of tasks outside of ``graph``, which is a body, that something inside reads; bodies inside included."""
    found: dict[str, None] = {}
    for task in graph.tasks:
        found.update(dict.fromkeys(ref.task for ref in read_by(task) if isinstance(ref, FromTask)))
        if task.body is not None:
            for binding in inner_bindings(task):
                found.update(
                    dict.fromkeys(
                        ref.task
                        for ref in references(binding)
                        if isinstance(ref, FromTask) and ref.task not in task.body.graph
                    )
                )
            found.update(dict.fromkeys(captured(task.body.graph)))
    return tuple(task for task in found if task not in graph)


def expressions_of(task: Task) -> Iterator[Expression]:
    """Every expression in the bindings of a node, which the state machine evaluates where the node stands."""
    for binding in bindings_of(task):
        yield from expressions_in(binding)


def expressions_in(binding: Binding) -> Iterator[Expression]:
    """Every expression in ``binding``, in the order written."""
    stack: list[Binding] = [binding]
    while stack:
        match stack.pop():
            case Expression() as expression:
                yield expression
            case ListOf(items=items):
                stack.extend(reversed(items))
            case DictOf(items=pairs):
                stack.extend(value for _, value in reversed(pairs))
            case _:
                pass
