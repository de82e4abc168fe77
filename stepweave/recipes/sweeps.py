"""Lists of arguments to try: all combinations, or a random sample."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stepweave.errors import UsageError


@dataclass(frozen=True, slots=True)
class Uniform:
    """Numbers from ``low`` to ``high``, all equally likely."""

    low: float
    high: float

    def at(self, part: float) -> float:
        """The number at ``part`` (0 to 1) of the way."""
        return self.low + (self.high - self.low) * part


@dataclass(frozen=True, slots=True)
class LogUniform:
    """Numbers from ``low`` to ``high``, each order of magnitude equally likely: for learning rates."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high:
            raise UsageError(
                f"LogUniform({self.low}, {self.high}): both must be above 0, the smaller one first"
            )

    def at(self, part: float) -> float:
        """The number at ``part`` (0 to 1) of the way."""
        low, high = math.log(self.low), math.log(self.high)
        return math.exp(low + (high - low) * part)


@dataclass(frozen=True, slots=True)
class IntUniform:
    """Whole numbers from ``low`` to ``high``, both included, all equally likely."""

    low: int
    high: int

    def at(self, part: float) -> int:
        """The number at ``part`` (0 to 1) of the way."""
        return min(self.high, self.low + int((self.high - self.low + 1) * part))


Range = Uniform | LogUniform | IntUniform
"""What a random search draws numbers from."""


def grid(**choices: Sequence[Any]) -> list[dict[str, Any]]:
    """All combinations, the last argument changing fastest: ``grid(lr=[0.1, 1], depth=[2, 4])`` has four.

    For ``train.expand_kwargs(grid(...))``.
    """
    for name, values in choices.items():
        _check_list(name, values)
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


def random_search(n: int, /, *, seed: int = 0, **space: Range | Sequence[Any]) -> list[dict[str, Any]]:
    """``n`` samples of a space of arguments, the same ones for the same seed.

    Each argument is a list to choose from, ``Uniform``, ``LogUniform`` or ``IntUniform``.
    """
    if n < 1:
        raise UsageError(f"random_search({n!r}): expected the number of samples, 1 or more")
    for name, values in space.items():
        if not isinstance(values, Range):
            _check_list(name, values)
            if not values:
                raise UsageError(f"{name}=[]: there is nothing to choose from")
    source = random.Random(seed)
    return [{name: _draw(values, source.random()) for name, values in space.items()} for _ in range(n)]


def _draw(values: Range | Sequence[Any], part: float) -> Any:
    return values.at(part) if isinstance(values, Range) else values[int(part * len(values))]


def _check_list(name: str, values: object) -> None:
    if not isinstance(values, (list, tuple, range)):
        raise UsageError(f"{name}={values!r}: expected a list of values to try, e.g. {name}=[...]")
