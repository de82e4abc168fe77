"""`Lines`: which line of states each event of an execution belongs to.

Branches of a Parallel and iterations of an inline Map are lines of their own, side by side. AWS numbers none of them:
they follow from ``previousEventId``, which leads from each event to the one before it, and from the states that have
branches (docs/parity.md says which event follows which).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OPENING = ("ParallelStateStarted", "MapStateStarted")
ENTERED, EXITED = "StateEntered", "StateExited"


class Lines:
    """The lines of one execution, as its events are told in order. Line 0 is the machine's own."""

    def __init__(self) -> None:
        self._of_event: dict[int, int] = {}
        self._kind: dict[int, str] = {}
        self._around: dict[int, int] = {}
        """The line in which a line was opened."""
        self._state: dict[int, str] = {}
        """The state that each line is in."""
        self._open: dict[int, str] = {}
        """The state of each line whose lines go on."""
        self._last = 0

    def of(self, event: Mapping[str, Any]) -> int:
        """The line of the next event."""
        kind, previous = str(event["type"]), int(event.get("previousEventId") or 0)
        line = self._found(kind, previous, event)
        self._of_event[int(event["id"])] = line
        self._kind[int(event["id"])] = kind
        if kind.endswith(ENTERED):
            self._state[line] = str(event["stateEnteredEventDetails"]["name"])
        elif kind in OPENING:
            self._open[line] = self._state.get(line, "")
        elif kind.endswith(EXITED):
            self._open.pop(line, None)
        return line

    def state(self, line: int) -> str | None:
        """The state that a line is in."""
        return self._state.get(line)

    def _found(self, kind: str, previous: int, event: Mapping[str, Any]) -> int:
        line = self._of_event.get(previous, 0)
        if kind == "MapIterationStarted":
            return self._new(self._outwards(line, str(event["mapIterationStartedEventDetails"]["name"])))
        if kind.endswith(EXITED):
            return self._outwards(line, str(event["stateExitedEventDetails"]["name"]))
        if kind.endswith(ENTERED) and self._kind.get(previous) == "ParallelStateStarted":
            return self._new(line)
        return line

    def _new(self, around: int) -> int:
        self._last += 1
        self._around[self._last] = around
        return self._last

    def _outwards(self, line: int, state: str) -> int:
        """The line that is in ``state``: ``line``, or one around it."""
        found = line
        while self._state.get(found) != state:
            if found not in self._around:
                return line
            found = self._around[found]
        return found
