"""Which records a task needs at hand before it runs: statuses that decide, fields that expressions read.

A *strict* task runs only after success of all its upstream tasks; success of a strict task implies success of its
upstream tasks, and so on upwards. A *tolerant* task (any other trigger rule, or a tear-down) breaks that implication.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from stepweave.graph.bindings import expressions_in, expressions_of, inner_bindings, read_by
from stepweave.graph.constructs import Guard
from stepweave.graph.model import FromTask, Graph, Task, references
from stepweave.graph.order import Parents, predecessors, topological_order, transitive_reduction
from stepweave.graph.outcomes import EARLY_RULES, looked_at
from stepweave.planning.waiting import awaits_all, waits_for

ALWAYS_READY = frozenset({"all_done", "always"})
"""Trigger rules that ask nothing of the upstream tasks but that they are done, or not even that."""
_BLUNT = frozenset({"all_success", "all_done", "always"})
"""Trigger rules that cannot tell a task that was skipped from one whose upstream failed while it was skipped."""


def is_strict(task: Task) -> bool:
    """Whether ``task`` runs only after success of all its upstream tasks."""
    return task.trigger_rule == "all_success" and not task.teardown


def ruled_by(graph: Graph, task: Task) -> tuple[str, ...]:
    """Upstream tasks at whose statuses the trigger rule of a tolerant task looks."""
    if is_strict(task) or task.trigger_rule in ALWAYS_READY:
        return ()
    return looked_at(graph, task)


def needs_exact_statuses(graph: Graph) -> bool:
    """Whether somebody can tell a skip from a failure that came later, so that a skipped branch must wait for it."""
    return any(
        task.guards or (task.trigger_rule not in _BLUNT and not task.teardown) or task.setup
        for task in graph.tasks
    )


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What tasks must ask about themselves, since it does not follow from where control is."""

    upstream: dict[str, tuple[str, ...]]
    """Per strict task, the upstream tasks whose success does not follow from that of its nearest upstream tasks."""
    guards: dict[str, tuple[Guard, ...]]
    """Guards of each task that those right before it do not all have too."""


def unsettled(graph: Graph) -> Unsettled:
    """What the tasks of ``graph`` must ask about themselves."""
    if all(is_strict(task) and not task.guards for task in graph.tasks):
        return Unsettled({}, {})
    order = topological_order(graph)
    nearest = transitive_reduction(graph, order, waits_for(graph, order))
    upstream = _unimplied(graph, order, nearest)
    return Unsettled(upstream, _open_guards(graph, nearest, upstream))


def _open_guards(
    graph: Graph, nearest: Parents, looks_further: Container[str]
) -> dict[str, tuple[Guard, ...]]:
    """Guards that each task must ask about itself.

    Where all of them have a guard, they ran only if it let them, and a strict task after them needs not ask again,
    unless it looks at others too.
    """
    found: dict[str, tuple[Guard, ...]] = {}
    for task in graph.tasks:
        if not task.guards:
            continue
        before = [set(graph[up].guards) for up in nearest[task.id]]
        looked_at = set(task.upstream).intersection(records_read(graph, task)).difference(nearest[task.id])
        asks_nothing = before and is_strict(task) and task.id not in looks_further and not looked_at
        settled = set.intersection(*before) if asks_nothing else set()
        asked = tuple(guard for guard in task.guards if guard not in settled)
        if asked:
            found[task.id] = asked
    return found


def _unimplied(graph: Graph, order: Iterable[str], nearest: Parents) -> dict[str, tuple[str, ...]]:
    """Per strict task, the upstream tasks whose success does not follow from that of its nearest upstream tasks."""
    implied: dict[str, set[str]] = {}
    extra: dict[str, tuple[str, ...]] = {}
    for task_id in order:
        task = graph[task_id]
        implied[task_id] = set()
        # A task in a block runs only if its condition was evaluated, and so after success of what that reads.
        for upstream in (*task.upstream, *(guard.decider for guard in task.guards if guard.block)):
            # One with a guard of its own may have been skipped although what is before it failed.
            if is_strict(graph[upstream]) and set(task.guards).issuperset(graph[upstream].guards):
                implied[task_id] |= implied[upstream]
                implied[task_id].update(graph[upstream].upstream)
        if is_strict(task):
            known = implied[task_id] | set(nearest[task_id])
            missing = tuple(upstream for upstream in task.upstream if upstream not in known)
            if missing:
                extra[task_id] = missing
    return extra


def records_read(graph: Graph, task: Task) -> tuple[str, ...]:
    """Tasks of ``graph`` whose records ``task`` needs at hand.

    For a field, for the number of a loop's rounds, for the items of a mapped group that do not count.
    """
    fields = (other for other in fields_read(task) if other in graph)
    if not awaits_all(task):
        return tuple(fields)  # it does not wait for a loop
    loops = (
        reference.task
        for reference in read_by(task)
        if isinstance(reference, FromTask)
        and reference.task in graph
        and (graph[reference.task].loop or loses_items(graph[reference.task], task))
    )
    return tuple(dict.fromkeys((*fields, *loops)))


def loses_items(task: Task, reader: Task) -> bool:
    """Whether ``reader`` may meet a failed item of the mapped group ``task`` that has a value, which does not count."""
    if task.expansion is None or task.body is None:
        return False
    tolerates = task.expansion.tolerated_count or task.expansion.tolerated_percent
    if not tolerates and is_strict(reader):
        return False
    counted = [inner for inner in task.body.graph.tasks if not inner.teardown]
    before = {up for inner in counted for up in predecessors(inner)}
    found = references(task.body.result) if task.body.result is not None else ()
    returned = {reference.task for reference in found if isinstance(reference, FromTask)}
    return any(inner.id not in before and inner.id not in returned for inner in counted)


def fields_read(task: Task) -> tuple[str, ...]:
    """Tasks of which an expression of ``task``, or inside its body, reads a field."""
    found = dict.fromkeys(_fields(task))
    if task.body is not None:
        inside = set(task.body.graph.ids())
        for inner in task.body.graph.tasks:
            found.update(dict.fromkeys(fields_read(inner)))
        for binding in inner_bindings(task):
            for expression in expressions_in(binding):
                found.update(dict.fromkeys(o.task for o in expression.operands if isinstance(o, FromTask)))
        found = {task_id: None for task_id in found if task_id not in inside}
    return tuple(found)


def _fields(task: Task) -> list[str]:
    return [
        operand.task
        for expression in expressions_of(task)
        for operand in expression.operands
        if isinstance(operand, FromTask)
    ]


def looks_at_one(task: Task) -> bool:
    """Whether the rule of ``task`` tells apart more than a tally of its upstream tasks can say."""
    return task.trigger_rule in EARLY_RULES or task.trigger_rule == "all_done_setup_success"
