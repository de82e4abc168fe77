"""`Outlets`: what the rest of the local AWS is told of executions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from stepweave.local_aws.states.entry import Entry


class Outlets(Protocol):
    """Told in the order of what happened; must return at once."""

    def started(self, entry: Entry) -> None:
        """An execution started, or was redriven."""

    def happened(self, entry: Entry, events: Sequence[dict[str, Any]]) -> None:
        """These events, of which nothing was told before, are in its history."""

    def ended(self, entry: Entry) -> None:
        """It ended; all its events were told."""


class NoOutlets:
    """Nobody is told."""

    def started(self, entry: Entry) -> None:
        """Tell nobody."""

    def happened(self, entry: Entry, events: Sequence[dict[str, Any]]) -> None:
        """Tell nobody."""

    def ended(self, entry: Entry) -> None:
        """Tell nobody."""
