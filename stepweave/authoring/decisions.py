"""Which tasks a branch or a short circuit decides about, once all edges are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from stepweave.authoring.contracts import kind_of, members, type_name
from stepweave.authoring.nodes import Node, Scope
from stepweave.authoring.scoping import before
from stepweave.authoring.signatures import signature_of
from stepweave.authoring.suggest import did_you_mean
from stepweave.errors import Problem
from stepweave.graph.constructs import GO, Decision, Guard


def guard_decided(scope: Scope) -> Iterator[Problem]:
    """Guard what branches and short circuits of ``scope`` decide about; what is wrong with them comes out."""
    deciders = [node for node in scope.nodes.values() if "decides" in node.forms]
    for node in deciders:
        direct = [one for one in scope.nodes.values() if node.id in one.upstream and not one.teardown]
        decision = node.forms["decides"]
        if not direct:
            yield _problem(
                node,
                "branch-downstream",
                "nothing comes after it, so it decides nothing",
                f"order the tasks it decides about: {node.id} >> [...]",
            )
        elif isinstance(decision, Decision) and decision.kind == "branch":
            _guard_branches(scope, node, direct)
            yield from _returned_problems(node)
        else:
            later = _after(scope, node)
            for one in later if node.options.ignore_downstream_trigger_rules else direct:
                _guard(one, Guard(decider=node.id, cases=(GO,)), later)


def _guard_branches(scope: Scope, node: Node, direct: list[Node]) -> None:
    """A chosen task runs, and so do those of the others that it leads to (a join), as in Airflow."""
    names = {one.id: (one.id, *_groups(scope, one, node)) for one in direct}
    cases = tuple(dict.fromkeys(name for found in names.values() for name in found))
    node.forms["decides"] = Decision(kind="branch", cases=cases)
    later = _after(scope, node)
    leading = {one.id: {one.id} for one in direct}
    for one in direct:
        for reached in _after(scope, one):
            if reached.id in leading:
                leading[reached.id].add(one.id)
    for one in direct:
        chosen = {name for other in leading[one.id] for name in names[other]}
        _guard(one, Guard(decider=node.id, cases=tuple(case for case in cases if case in chosen)), later)


def _guard(node: Node, guard: Guard, later: list[Node]) -> None:
    """Guard ``node``, before those that decide only after this decision."""
    after = {one.id for one in later}
    first = next((at for at, other in enumerate(node.guards) if other.decider in after), len(node.guards))
    node.guards = (*node.guards[:first], guard, *node.guards[first:])


def _groups(scope: Scope, first: Node, decider: Node) -> tuple[str, ...]:
    """Ids of the groups that start with ``first``, without those that ``decider`` is in too."""
    inner = {group for up in before(first) if up in scope.nodes for group in scope.nodes[up].groups}
    return tuple(group for group in first.groups if group not in decider.groups and group not in inner)


def _after(scope: Scope, node: Node) -> list[Node]:
    """All nodes that come after ``node``, directly or not, without tear-downs."""
    below: dict[str, list[Node]] = {}
    for one in scope.nodes.values():
        for up in before(one):
            below.setdefault(up, []).append(one)
    seen: dict[str, Node] = {}
    stack = [node.id]
    while stack:
        for one in below.get(stack.pop(), ()):
            if one.id not in seen:
                seen[one.id] = one
                stack.append(one.id)
    return [one for one in scope.nodes.values() if one.id in seen and not one.teardown]


_ANSWERS = (None, "text", "list")
"""Kinds of values that may name tasks."""


def _returned_problems(node: Node) -> Iterator[Problem]:
    """What the annotation of a branch says it may return, although nothing of that id follows."""
    decision = node.forms["decides"]
    assert isinstance(decision, Decision)
    assert node.function is not None
    returns = signature_of(node.function).returns
    if not any(kind_of(member) in _ANSWERS for member in members(returns)):
        what = f"it returns {type_name(returns)}, which names no task"
        yield _problem(node, "branch-unknown", what, "return the id of a task, a list of ids, or None")
    for value in _literals(returns):
        fitting = [case for case in decision.cases if value in (case, case.rpartition(".")[2])]
        if value is not None and not fitting:
            yield _problem(
                node,
                "branch-unknown",
                f"it may return {value!r}, which is no task directly downstream",
                did_you_mean(str(value), decision.cases),
            )
        elif len(fitting) > 1 and value not in fitting:
            what = f"it may return {value!r}, which is the end of several ids"
            yield _problem(node, "branch-unknown", what, f"return the whole id: {' or '.join(fitting)}")


def _literals(annotation: Any) -> Iterator[Any]:
    for member in members(annotation):
        if get_origin(member) is Literal:
            yield from get_args(member)
        elif get_origin(member) in (list, tuple):
            for inner in get_args(member):
                if inner is not Ellipsis:
                    yield from _literals(inner)


def _problem(node: Node, code: str, what: str, fix: str) -> Problem:
    source = node.source
    return Problem(what=what, code=code, file=source.file, line=source.line, task=node.id, fix=fix)
