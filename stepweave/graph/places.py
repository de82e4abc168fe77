"""`places_of`: where each node of a DAG stands: at the root, or in the bodies of which nodes.

The *depth* of a node is the number of components of its index path: one for each mapped node and each loop around it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from stepweave.graph.model import Binding, Graph, ListOf, Literal, Task


@dataclass(frozen=True, slots=True)
class Place:
    """A node, and how deep it stands."""

    task: Task
    depth: int

    @property
    def is_many(self) -> bool:
        """Whether what is inside runs several times, and so has one component more."""
        return self.task.expansion is not None or self.task.loop is not None


Places: TypeAlias = Mapping[str, Place]
"""The place of every node of a DAG, by id."""


def places_of(graph: Graph) -> dict[str, Place]:
    """The place of every node of the DAG ``graph``, those inside bodies included, a node before what is inside it."""
    found: dict[str, Place] = {}
    stack = [(task, 0) for task in reversed(graph.tasks)]
    while stack:
        task, depth = stack.pop()
        place = found[task.id] = Place(task, depth)
        if task.body is not None:
            inside = depth + place.is_many
            stack.extend((inner, inside) for inner in reversed(task.body.graph.tasks))
    return found


def written_length(binding: Binding) -> int | None:
    """How many items the list has that was written in the DAG; None for what is known only when the DAG runs."""
    if isinstance(binding, ListOf):
        return len(binding.items)
    if isinstance(binding, Literal):
        value = json.loads(binding.json)
        return len(value) if isinstance(value, list) else None
    return None


def written_count(task: Task) -> int | None:
    """How many items a mapped node has whose lists were all written in the DAG; None for any other."""
    if task.expansion is None:
        return None
    lengths = [written_length(binding) for _, binding in task.expansion.arguments]
    known = [length for length in lengths if length is not None]
    if len(known) < len(lengths):
        return None
    return prod(known) if task.expansion.how == "product" else min(known, default=0)
