"""`PokeReturn`: what a sensor answers when it has a value to hand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PokeReturn:
    """The answer of one poke: whether what the sensor waits for is there, and the value of the task when it is."""

    is_done: bool
    value: Any = None
