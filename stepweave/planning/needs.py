"""Which records a task needs at hand before it runs: statuses that decide, fields that expressions read.

A *strict* task runs only after success of all its upstream tasks; success of a strict task implies success of its
upstream tasks, and so on upwards. A *tolerant* task (any other trigger rule, or a tear-down) breaks that implication.
"""

from __future__ import annotations

from collections.abc import Iterator

from stepweave.graph.model import Binding, DictOf, Expression, FromTask, Graph, ListOf, Task
from stepweave.graph.order import transitive_reduction

ALWAYS_READY = frozenset({"all_done"})
"""Trigger rules that ask nothing of the upstream tasks but that they are done."""


def is_strict(task: Task) -> bool:
    """Whether ``task`` runs only after success of all its upstream tasks."""
    return task.trigger_rule == "all_success" and not task.teardown


def ruled_by(task: Task) -> tuple[str, ...]:
    """Upstream tasks at whose statuses the trigger rule of a tolerant task looks."""
    if is_strict(task) or task.teardown or task.trigger_rule in ALWAYS_READY:
        return ()
    return task.upstream


def unimplied(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Per strict task, the upstream tasks whose success does not follow from that of its nearest upstream tasks."""
    if all(is_strict(task) for task in graph.tasks):
        return {}
    reduced = transitive_reduction(graph)
    implied: dict[str, set[str]] = {}
    extra: dict[str, tuple[str, ...]] = {}
    for task_id in reduced:
        task = graph[task_id]
        implied[task_id] = set()
        for upstream in task.upstream:
            if is_strict(graph[upstream]):
                implied[task_id] |= implied[upstream]
                implied[task_id].update(graph[upstream].upstream)
        if is_strict(task):
            known = implied[task_id] | set(reduced[task_id])
            missing = tuple(upstream for upstream in task.upstream if upstream not in known)
            if missing:
                extra[task_id] = missing
    return extra


def fields_read(task: Task) -> tuple[str, ...]:
    """Tasks of which an expression among the arguments of ``task`` reads a field."""
    return tuple(dict.fromkeys(ref.task for _, binding in task.arguments for ref in _in_expressions(binding)))


def _in_expressions(binding: Binding) -> Iterator[FromTask]:
    stack = [binding]
    while stack:
        match stack.pop():
            case Expression(operands=operands):
                yield from (operand for operand in operands if isinstance(operand, FromTask))
            case ListOf(items=items):
                stack.extend(reversed(items))
            case DictOf(items=pairs):
                stack.extend(value for _, value in reversed(pairs))
            case _:
                pass
