"""`places_of`: where the tasks of a DAG stand: in which graph, inside which node, and how deep.

An *index path* tells apart the runs of one task: ``""`` at the root, ``"3"`` in item 3 of a mapped group, ``"3/0"`` in
round 0 of a loop inside that. A body that is run once (a speculation) adds nothing to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from stepweave.graph.model import Binding, Graph, ListOf, Literal, Task


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task stands."""

    task: Task
    graph: Graph
    """The graph that holds it: the DAG's, or a body."""
    node: str | None
    """Id of the node whose body that is; None at the root."""
    depth: int
    """Components of the task's index path."""

    @property
    def is_many(self) -> bool:
        """Whether the task is run several times for one index path: once per item or round, which adds a component."""
        return self.task.expansion is not None or self.task.loop is not None


def places_of(graph: Graph, node: str | None = None, depth: int = 0) -> dict[str, Place]:
    """The place of each task, those of bodies after their node."""
    found: dict[str, Place] = {}
    for task in graph.tasks:
        place = found[task.id] = Place(task, graph, node, depth)
        if task.body is not None:
            found |= places_of(task.body.graph, task.id, depth + place.is_many)
    return found


def every_task(graph: Graph) -> Iterator[Task]:
    """Every task, those of bodies after their node."""
    for task in graph.tasks:
        yield task
        if task.body is not None:
            yield from every_task(task.body.graph)


def depth_of(index: str) -> int:
    """Components of an index path: ``depth_of("3/0")`` is 2."""
    return index.count("/") + 1 if index else 0


def parent_of(index: str) -> str:
    """The index path without its last component: ``parent_of("3/0")`` is ``"3"``."""
    return index.rpartition("/")[0]


def child_of(index: str, number: int) -> str:
    """The index path of item or round ``number`` below ``index``: ``child_of("3", 0)`` is ``"3/0"``."""
    return f"{index}/{number}" if index else str(number)


def written_items(task: Task) -> int | None:
    """How many items a mapped task has whose lists are all written in the DAG; None when a run has to tell."""
    if task.expansion is None:
        return None
    lengths = [_length(binding) for _, binding in task.expansion.arguments]
    known = [length for length in lengths if length is not None]
    if len(known) < len(lengths):
        return None
    return prod(known) if task.expansion.how == "product" else min(known, default=0)


def _length(binding: Binding) -> int | None:
    match binding:
        case ListOf(items=items):
            return len(items)
        case Literal(json=text):
            value = json.loads(text)
            return len(value) if isinstance(value, list) else None
    return None
