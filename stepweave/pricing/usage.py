"""`Usage`: how much of everything that has a price; `bill`: what it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from stepweave.pricing.prices import HOME, PRICES, usd


@dataclass(frozen=True, slots=True)
class Usage:
    """Units by the key of their price. Values add up with ``+``."""

    amounts: Mapping[str, float] = field(default_factory=dict)

    def __add__(self, other: Usage) -> Usage:
        amounts = dict(self.amounts)
        for key, amount in other.amounts.items():
            amounts[key] = amounts.get(key, 0.0) + amount
        return Usage(amounts)

    def times(self, factor: float) -> Usage:
        """``factor`` times as much."""
        return Usage({key: amount * factor for key, amount in self.amounts.items()})

    def less_free(self) -> Usage:
        """What is left of a month's usage when the account uses its free share for it alone."""
        return Usage({key: max(0.0, amount - PRICES[key].free) for key, amount in self.amounts.items()})

    def usd(self, region: str = HOME) -> float:
        """What it costs."""
        return sum(amount * usd(key, region) for key, amount in self.amounts.items())

    @classmethod
    def of(cls, **amounts: float) -> Self:
        """Usage by names, without what is 0.

        >>> Usage.of(transition=3, s3_put=0).amounts
        {'transition': 3}
        """
        return cls({key: amount for key, amount in amounts.items() if amount})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a bill."""

    service: str
    what: str
    amount: float
    unit: str
    usd: float


def bill(usage: Usage, region: str = HOME) -> tuple[Line, ...]:
    """The lines of a bill, the dearest first."""
    lines = (
        Line(
            service=PRICES[key].service,
            what=PRICES[key].what,
            amount=amount,
            unit=PRICES[key].unit,
            usd=amount * usd(key, region),
        )
        for key, amount in usage.amounts.items()
        if amount
    )
    return tuple(sorted(lines, key=lambda line: (-line.usd, line.service, line.what)))


def total(usages: Iterable[Usage]) -> Usage:
    """All usages together."""
    added = Usage()
    for usage in usages:
        added = added + usage
    return added
