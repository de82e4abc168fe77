"""What the check of each state leaves for the check of the whole machine: ways out, reads, assignments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from stepweave.validation.report import Report, Scope

EVERY_VARIABLE = -1
"""The set of all variables."""


class Variables:
    """Gives each variable of a definition one bit, so that a set of variables is one integer.

    Sets along a chain of 10,000 states grow together; as integers their union and intersection cost nanoseconds.
    """

    __slots__ = ("_bits", "names")

    def __init__(self) -> None:
        self._bits: dict[str, int] = {}
        self.names: list[str] = []

    def bit(self, name: str) -> int:
        """The bit of ``name``."""
        bit = self._bits.get(name)
        if bit is None:
            bit = self._bits[name] = 1 << len(self.names)
            self.names.append(name)
        return bit

    def named(self, bits: int) -> list[str]:
        """The names whose bits are in ``bits``."""
        return [self.names[i] for i in range(bits.bit_length()) if bits >> i & 1]


class Way(NamedTuple):
    """One way out of a state. A tuple, since three are made for each state and a dataclass takes four times as long."""

    target: str
    assigns: int
    """Variables that are assigned when this way is taken."""
    place: str
    """Where the state says so: ``Next``, ``Catch[0].Next``, …"""


class StateFacts(NamedTuple):
    """One state."""

    ways: tuple[Way, ...]
    terminal: bool
    reads: tuple[tuple[str, str], ...]
    """Variable and field."""
    reads_bits: int
    assigns: int
    """Variables that the state assigns on any way."""


@dataclass(frozen=True, slots=True, eq=False)
class MachineFacts:
    """One machine with the facts of its states."""

    scope: Scope
    start: str | None
    states: dict[str, StateFacts]


@dataclass(frozen=True, slots=True)
class Common:
    """What the checks of all states of a definition share."""

    report: Report
    variables: Variables = field(default_factory=Variables)
    sound_lists: set[int] = field(default_factory=set)
    """Identities of retriers and catchers found right; a compiler shares them between states."""
    sound_texts: set[str] = field(default_factory=set)
    """The same for definitions that were read from a file, where nothing is shared, by their text."""
