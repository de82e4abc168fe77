"""`MemoryGates`: the gate table of one process, for the embedded engine and for tests."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from stepweave.runtime.events import Json
from stepweave.runtime.rendezvous import Gate


class MemoryGates:
    """Gates in memory; safe for many threads."""

    __slots__ = ("_gates", "_lock")

    def __init__(self) -> None:
        self._gates: dict[tuple[str, str], Gate] = {}
        self._lock = threading.Lock()

    def wait(self, run: str, gate: str, waiting: Gate) -> Gate:
        """The gate, now with a token; a later token replaces an earlier one."""
        with self._lock:
            before = self._gates.get((run, gate), Gate())
            after = replace(waiting, arrivals=before.arrivals)
            self._gates[run, gate] = after
            return after

    def arrive(self, run: str, gate: str, records: Mapping[str, Json]) -> Gate:
        """The gate, now with these arrivals, except for tasks that had arrived before."""
        with self._lock:
            before = self._gates.get((run, gate), Gate())
            after = replace(before, arrivals={**records, **before.arrivals})
            self._gates[run, gate] = after
            return after

    def forget(self, run: str) -> None:
        """Drop the gates of a run that has ended."""
        with self._lock:
            for key in [key for key in self._gates if key[0] == run]:
                del self._gates[key]
