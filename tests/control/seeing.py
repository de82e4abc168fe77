"""What the outside sees of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stepweave.graph.model import Graph, Task
from tests.reference.worlds import Index, Place


@dataclass(slots=True)
class Seen:
    """What the outside saw of a run."""

    started: dict[Place, float] = field(default_factory=dict)
    """Second at which each call's first attempt began."""
    ended: dict[Place, float] = field(default_factory=dict)
    attempts: Counter[Place] = field(default_factory=Counter)
    upstream: dict[Place, dict[str, str]] = field(default_factory=dict)
    """Statuses that tasks were told of."""
    told: dict[str, list[tuple[Index, str]]] = field(default_factory=dict)
    """Statuses of nodes that states put out."""
    succeeded: set[Place] = field(default_factory=set)
    states: list[str] = field(default_factory=list)
    """Names of the states entered."""
    undone: list[str] = field(default_factory=list)
    """Tasks that the machine had compensated, in that order."""
    failed: set[Place] = field(default_factory=set)
    """Calls that failed for good, as far as the machine wants them counted."""
    retries: int = 0
    """Attempts after the first of a state, each a transition as well."""


def index_of(event: Mapping[str, Any]) -> Index:
    """``run.index`` of an event as numbers: ``"3/0"`` is ``(3, 0)``."""
    text = event["run"].get("index") or ""
    return tuple(int(part) for part in text.split("/")) if text else ()


def everywhere(graph: Graph) -> dict[str, Task]:
    """All tasks by id, those of bodies too."""
    found: dict[str, Task] = {}
    for task in graph.tasks:
        found[task.id] = task
        if task.body:
            found |= everywhere(task.body.graph)
    return found
