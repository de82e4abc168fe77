"""A graph in a few lines, for those who read a failing example."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from stepweave.graph.model import Graph, Task

_SHOWN_APART = frozenset({"id", "call", "arguments", "upstream", "trigger_rule", "guards", "body"})


def described(graph: Graph, indent: str = "") -> Iterator[str]:
    """A line for each task, those of bodies indented: ``c(a, b) one_success [if1: if] optional=True``."""
    limits = {name: getattr(graph.dag, name) for name in ("fail_fast", "max_failed_tasks")}
    if not indent and any(value not in (False, None) for value in limits.values()):
        yield str(limits)
    for task in graph.tasks:
        yield indent + " ".join(_parts(task))
        if task.body:
            yield from described(task.body.graph, indent + "    ")
            yield f"{indent}    -> {task.body.result}"


def _parts(task: Task) -> Iterator[str]:
    yield f"{task.id}({', '.join(task.upstream)})"
    if task.trigger_rule != "all_success":
        yield task.trigger_rule
    for guard in task.guards:
        yield f"[{guard.decider}: {'|'.join(guard.cases)}{'' if guard.block else ' as told'}]"
    for one in fields(task):
        value = getattr(task, one.name)
        if one.name not in _SHOWN_APART and value != one.default:
            yield f"{one.name}={value}"
    outside = [name for name, _ in task.arguments if name in ("outside", "here")]
    if outside:
        yield f"reads {outside}"
