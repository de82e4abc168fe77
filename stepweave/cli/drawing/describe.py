"""`describe`: what the drawings tell about each task, as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stepweave.cli.drawing.nodes import kind, runs_somewhere, tests
from stepweave.embedded.places import every_task
from stepweave.graph.bindings import bindings_of
from stepweave.graph.model import Binding, FromTask, Graph, Task, references


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One task in words."""

    id: str
    place: str
    """Where it runs, e.g. ``lambda``; empty when unknown, and where no function runs."""
    kind: str
    """What it is besides a plain task, in a few words."""
    doc: str
    details: tuple[tuple[str, str], ...]
    """Label and text, in the order in which they are shown."""
    teardown: bool


def describe(graph: Graph, places: Mapping[str, str]) -> tuple[Description, ...]:
    """One description per task, in the order of the graph; those of bodies come after their node."""
    return tuple(_description(task, places.get(task.id, "")) for task in every_task(graph))


def data_edges(graph: Graph) -> frozenset[tuple[str, str]]:
    """The edges that carry a value, as pairs of task ids; the others only order."""
    return frozenset(
        (reference.task, task.id)
        for task in graph.tasks
        for binding in _bindings(task)
        for reference in references(binding)
        if isinstance(reference, FromTask)
    )


def _bindings(task: Task) -> Iterator[Binding]:
    """All that a node takes from elsewhere, its body included."""
    yield from bindings_of(task)
    if task.body is not None:
        for inner in task.body.graph.tasks:
            yield from _bindings(inner)


def _description(task: Task, place: str) -> Description:
    place = place if runs_somewhere(task) else ""
    return Description(
        id=task.id,
        place=place,
        kind=kind(task),
        doc=task.doc,
        details=_details(task, place),
        teardown=task.teardown,
    )


def _details(task: Task, place: str) -> tuple[tuple[str, str], ...]:
    needs = task.resources
    rows = (
        ("is", kind(task)),
        *tests(task),
        ("runs on", place),
        ("after", ", ".join(task.upstream)),
        ("trigger rule", "" if task.trigger_rule == "all_success" else task.trigger_rule),
        ("group", ".".join(task.groups[-1:])),
        ("retries", _retries(task)),
        ("timeout", f"{task.timeout_seconds} s" if task.timeout_seconds else ""),
        ("needs", _needs(needs.cpu, needs.memory_mib, needs.gpu, needs.spot)),
        ("owner", task.owner),
        ("tags", ", ".join(task.tags)),
        ("code", task.call),
        ("source", f"{task.source.file}:{task.source.line}" if task.source else ""),
    )
    return tuple((label, text) for label, text in rows if text)


def _retries(task: Task) -> str:
    policy = task.retry
    if not policy.attempts:
        return ""
    return f"{policy.attempts} (first after {policy.delay_seconds} s, then × {policy.backoff:g})"


def _needs(cpu: float | None, memory_mib: int | None, gpu: int, spot: bool) -> str:
    parts = (
        f"{cpu:g} vCPU" if cpu else "",
        f"{memory_mib} MiB" if memory_mib else "",
        f"{gpu} GPU" if gpu else "",
        "spot" if spot else "",
    )
    return ", ".join(part for part in parts if part)
