"""`Ending`: what a frame's emitter asks of the end of its graph."""

from __future__ import annotations

from typing import Any, Protocol

from stepweave.asl.frames import Element
from stepweave.asl.states import State


class Ending(Protocol):
    """The end of the root frame of a graph."""

    def close(self, last: Element, state: State, record: Any) -> None:
        """Gives ``state`` its transition after success of ``last``, the last element, whose own record is known."""

    def entry(self) -> str:
        """Name of the state where a path goes on that jumped to the end."""

    def states(self) -> dict[str, State]:
        """The states of the end, as far as they were asked for."""
