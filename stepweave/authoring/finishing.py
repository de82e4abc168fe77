"""From a trace to a graph, once the DAG function has ended: edges of groups, decisions, lazy tasks, bodies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from stepweave.authoring.decisions import guard_decided
from stepweave.authoring.fallbacks import ladder_of
from stepweave.authoring.laziness import drop_unused, guard_lazy
from stepweave.authoring.nodes import GroupNode, Node, Scope
from stepweave.authoring.options import TaskOptions
from stepweave.authoring.scoping import depth, first_nodes, last_nodes
from stepweave.authoring.shipping import beyond, undo_requirements
from stepweave.authoring.trace import Trace
from stepweave.authoring.units import seconds
from stepweave.errors import Problem
from stepweave.graph.constructs import Body, Breaker, Rung
from stepweave.graph.model import Binding, DagInfo, DictOf, FromTask, Graph, Source, Task, references

NameOf: TypeAlias = Callable[[Callable[..., Any], str], str]
"""The call of a function, given the task id (``train``) or role (``train~undo``) by which tracing finds it."""


@dataclass(frozen=True, slots=True)
class _Finishing:
    trace: Trace
    info: DagInfo
    name_of: NameOf


def finish(trace: Trace, info: DagInfo, name_of: NameOf, returned: Binding | None) -> Graph:
    """The graph of a trace; mistakes are noted there. ``returned`` is what the DAG function returned."""
    _resolve_group_edges(trace)
    return _graph(_Finishing(trace, info, name_of), trace.root, returned)


def _graph(finishing: _Finishing, scope: Scope, result: Binding | None) -> Graph:
    used = {one.task for one in references(result) if isinstance(one, FromTask)} if result else set()
    drop_unused(scope, used)
    finishing.trace.problems.extend(guard_decided(scope))
    guard_lazy(scope, used)
    tasks = tuple(_task(finishing, node) for node in scope.nodes.values())
    return Graph(dag=finishing.info, tasks=tasks)


def _task(finishing: _Finishing, node: Node) -> Task:
    options, name_of = node.options, finishing.name_of
    if node.function is not None:
        node.call = name_of(node.function, node.id)
    return Task(
        id=node.id,
        call=node.call,
        arguments=tuple(node.arguments),
        upstream=tuple(node.upstream),
        fields=tuple(node.fields),
        trigger_rule=_rule(node),
        guards=node.guards,
        setup=node.setup,
        teardown=node.teardown,
        optional=options.optional,
        retry=options.retry,
        other_retries=options.other_retries,
        timeout_seconds=None if "sensor" in node.forms else options.timeout_seconds,
        heartbeat_seconds=options.heartbeat_seconds,
        ladder=_ladder(finishing, node),
        replicas=options.replicas,
        quorum=options.replicas // 2 + 1 if options.quorum is None else options.quorum,
        hedge_seconds=options.hedge_seconds,
        compensate=name_of(node.others["undo"], f"{node.id}~undo") if "undo" in node.others else "",
        breaker=_breaker(options),
        version=options.version,
        resources=options.resources,
        compute=options.compute,
        requirements=beyond(finishing.info, options.requirements),
        undo_requirements=beyond(finishing.info, undo_requirements(options.compensate)),
        doc=node.doc,
        owner=options.owner,
        tags=options.tags,
        groups=node.groups,
        source=node.source,
        **_forms(finishing, node),
    )


def _ladder(finishing: _Finishing, node: Node) -> tuple[Rung, ...]:
    if not (node.options.more_memory or node.options.degrade):
        return ()
    rungs = ladder_of(node, finishing.name_of)
    return tuple(replace(rung, requirements=beyond(finishing.info, rung.requirements)) for rung in rungs)


def _breaker(options: TaskOptions) -> Breaker | None:
    given = options.breaker
    if given is None:
        return None
    return Breaker(name=given.name, failures=given.failures, reset_seconds=seconds(given.reset))


def _forms(finishing: _Finishing, node: Node) -> dict[str, Any]:
    forms: dict[str, Any] = dict(node.forms)
    if node.body is not None:
        result = DictOf(items=tuple(node.exports.items())) if node.exports else node.result
        forms["body"] = Body(graph=_graph(finishing, node.body, result), result=result)
    return forms


def _rule(node: Node) -> str:
    """The trigger rule; a tear-down runs when all is done, and if there are setups, when one of them succeeded."""
    if node.options.trigger_rule is not None or not node.teardown:
        return node.options.trigger_rule or "all_success"
    nodes = node.scope.nodes
    return (
        "all_done_setup_success"
        if any(up in nodes and nodes[up].setup for up in node.upstream)
        else "all_done"
    )


def _resolve_group_edges(trace: Trace) -> None:
    # An edge inside a group decides which tasks are the group's first and last, so inner edges come first.
    for left, right, source in sorted(trace.group_edges, key=depth, reverse=True):
        for end in (left, right):
            if isinstance(end, GroupNode) and not end.members:
                trace.problems.append(_empty(end, source))
        firsts, lasts = first_nodes(right), last_nodes(left)
        for first in firsts:
            for last in lasts:
                if first is not last:
                    first.upstream[last.id] = None
    trace.group_edges.clear()


def _empty(group: GroupNode, source: Source) -> Problem:
    return Problem(
        what=f"task group {group.id!r} is ordered but has no tasks",
        code="empty-group",
        file=source.file,
        line=source.line,
        fix="call a task inside the group, or leave the edge out",
    )
