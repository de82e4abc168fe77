"""`carry_out`: the states of one way to carry out a task, by where it runs."""

from __future__ import annotations

from stepweave.asl.bodies.batch import batch
from stepweave.asl.bodies.light import light
from stepweave.asl.bodies.way import Way
from stepweave.asl.states import State


def carry_out(way: Way) -> dict[str, State]:
    """The states of ``way`` by name, the first one first."""
    return batch(way) if way.placement.is_job else light(way)
