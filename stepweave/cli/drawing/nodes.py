"""What the drawings show of a node besides its id: what kind it is, and which decision leads to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from stepweave.graph.constructs import ELSE, GO
from stepweave.graph.model import Expression, FromItem, FromParam, FromState, FromTask, Graph, Reference, Task
from stepweave.graph.order import predecessors

_OPERAND = re.compile(r"\$_(\d+)_")
_ELIF = re.compile(r"elif_(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An edge of the drawing."""

    source: str
    target: str
    case: str
    """The case of the decision at ``source`` in which the target runs; empty when it decides nothing, or by ids."""


def links(graph: Graph) -> Iterator[Link]:
    """The edges of a graph (those of bodies not included), by target in the order written.

    A task inside the block of a condition is linked to the condition, unless a task before it is inside as well.
    """
    for task in graph.tasks:
        decided = {guard.decider: _case(guard.cases) for guard in task.guards}
        before = [graph[up] for up in predecessors(task) if up in graph]
        inherited = {guard for up in before for guard in up.guards}
        implied = {guard.decider for guard in task.guards if guard in inherited}
        for source in predecessors(task):
            if source in graph and (source in task.upstream or source not in implied):
                yield Link(source=source, target=task.id, case=decided.get(source, ""))
        if task.speculation is not None:
            case = _case(task.speculation.cases)
            yield Link(source=task.speculation.decider, target=task.id, case=case)


def all_links(graph: Graph) -> Iterator[Link]:
    """The edges of a graph, and of all bodies inside."""
    yield from links(graph)
    for task in graph.tasks:
        if task.body is not None:
            yield from all_links(task.body.graph)


def kind(task: Task) -> str:
    """What a node is besides a plain task, in a few words; empty for a plain task."""
    parts = (_form(task), *_options(task))
    return ", ".join(part for part in parts if part)


def runs_somewhere(task: Task) -> bool:
    """Whether the node is a call of a function, which runs on some compute."""
    return bool(task.call) and task.body is None


def tests(task: Task) -> Iterator[tuple[str, str]]:
    """The cases of a condition, each with its test as people read it."""
    if task.condition is not None:
        for name, test in task.condition.cases:
            yield _case((name,)), readable(test)


def readable(expression: Expression) -> str:
    """An expression with the names of what it reads: ``score.auc >= threshold``."""
    return _OPERAND.sub(lambda match: _name(expression.operands[int(match[1])]), expression.text)


def _form(task: Task) -> str:
    if task.condition is not None:
        return "condition"
    if task.decides is not None:
        return task.decides.kind.replace("_", " ")
    if task.sensor is not None:
        return f"asks every {task.sensor.interval_seconds} s"
    if task.approval is not None:
        return "approval"
    if task.nested is not None:
        return f"runs {task.nested.dag}"
    if task.loop is not None:
        return f"loop, at most {task.loop.max_rounds} rounds"
    if task.speculation is not None:
        return "likely: starts before it is decided"
    if task.expansion is not None:
        names = " × ".join(name for name, _ in task.expansion.arguments if name)
        joined = names.replace(" × ", ", ") if task.expansion.how == "zip" else names
        return f"per {joined}" if joined else "per dict of arguments"
    return ""


def _options(task: Task) -> Iterator[str]:
    if task.replicas > 1:
        yield f"{task.replicas} copies, {task.quorum} agree"
    if task.setup:
        yield "setup"
    if task.hedge_seconds is not None:
        yield f"hedged after {task.hedge_seconds} s"
    if task.breaker is not None:
        yield f"breaker {task.breaker.name}"
    if task.ladder:
        yield "else " + ", ".join(rung.label or "another" for rung in task.ladder)
    if task.compensate:
        yield "undone on failure"
    if task.optional:
        yield "optional"
    if task.trigger_rule != "all_success" and not task.teardown:
        yield task.trigger_rule


def _case(cases: tuple[str, ...]) -> str:
    if len(cases) != 1 or cases == (GO,):
        return ""
    (case,) = cases
    elif_number = _ELIF.fullmatch(case)
    if elif_number is not None:
        return "elif" if elif_number[1] == "1" else f"elif {elif_number[1]}"
    return case if case in ("if", ELSE) else ""


def _name(reference: Reference) -> str:
    match reference:
        case FromTask(task=task):
            first = task
        case FromParam(param=param):
            first = param
        case FromItem(name=name):
            first = name
        case FromState():
            first = "round" if reference.counter else "state"
    return ".".join((first, *map(str, reference.path)))
