"""From a definition that is known to be sound to a :class:`~stepweave.engine.machine.Machine`.

One pass, linear in the definition's size and without recursion over states or branches. Nothing is checked but what
cannot be read at all: a JSONata library has the last word on expressions. ``parsing.parse`` checks first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepweave.engine.fields import Notes, Place
from stepweave.engine.machine import Block, Machine
from stepweave.engine.state_reading import read_state
from stepweave.errors import DefinitionError


def read(definition: Mapping[str, Any], name: str = "machine") -> Machine:
    """The machine that ``definition`` describes.

    Raises ``DefinitionError`` when expressions cannot be compiled.
    """
    reader = _Reader(name)
    block = reader.open_block(definition, None)
    reader.run()
    if reader.notes.problems:
        raise DefinitionError(reader.notes.problems)
    return Machine(
        name=name,
        block=block,
        timeout_seconds=definition.get("TimeoutSeconds"),
        inexact=reader.notes.inexact,
    )


class _Reader:
    """Reads blocks, one after another."""

    def __init__(self, machine: str) -> None:
        self.notes = Notes(machine)
        self._pending: list[tuple[Mapping[str, Any], Block, Place | None]] = []

    def open_block(self, source: Mapping[str, Any], place: Place | None) -> Block:
        """The block of ``source``, whose states are read later."""
        block = Block(start=source["StartAt"])
        self._pending.append((source["States"], block, place))
        return block

    def run(self) -> None:
        """Read the states of every block that was opened."""
        while self._pending:
            states, block, place = self._pending.pop()
            for name, source in states.items():
                block.states[name] = read_state(name, source, place, self)
