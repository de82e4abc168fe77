"""`Counts`: what a drill did, and what of it went wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Counts:
    """The figures of one drill."""

    drill: str
    figures: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """A sentence for each thing that should not have happened."""
    seconds: float = 0.0

    def check(self, holds: bool, sentence: str) -> None:
        """Count a check; ``sentence`` says what is wrong when it does not hold."""
        self.figures["checks"] += 1
        if not holds:
            self.wrong.append(sentence)

    def to_json(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        return {"drill": self.drill, **self.figures, "seconds": round(self.seconds, 1), "wrong": self.wrong}
