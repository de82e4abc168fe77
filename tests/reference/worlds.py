"""What the world does while a run goes on: how calls end, how long they take, what people and lists say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Index: TypeAlias = tuple[int, ...]
"""Where something ran: items of mapped nodes and rounds of loops, outermost first; ``()`` in the DAG itself."""
Place: TypeAlias = tuple[str, Index]
"""A task, or an item or round of one, somewhere."""
Script: TypeAlias = tuple[str, ...]
"""How the attempts of a call end, one after another, the last for ever: ``success`` or the name of an error."""

SUCCESS = "success"
SKIP = "Skip"


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a run depends on besides the graph."""

    scripts: Mapping[Place, Script] = field(default_factory=dict)
    """Calls that do not succeed at once."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Length of each attempt by task id; 1 unless given."""
    items: Mapping[Place, int | None] = field(default_factory=dict)
    """Items of a mapped node whose list is known only at run time; None for a value that is no list."""
    choices: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    """What a condition, branch or short circuit chooses; no case unless given."""
    rounds: Mapping[Place, int] = field(default_factory=dict)
    """After how many rounds the condition of a loop holds; never unless given."""
    votes: Mapping[Place, str] = field(default_factory=dict)
    """What each replica in turn answers, a letter each; all the same unless given."""
    answers: Mapping[Place, Script] = field(default_factory=dict)
    """What each approver in turn says: ``approve``, ``reject`` or ``silence``; the last for ever."""

    def script(self, task: str, index: Index, level: int = 0) -> Script:
        """Endings of a call; ``level`` counts the rungs of a ladder or the replicas, called ``task@level``."""
        return self.scripts.get((f"{task}@{level}" if level else task, index), (SUCCESS,))

    def length(self, task: str) -> float:
        return self.seconds.get(task, 1.0)
