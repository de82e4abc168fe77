"""`body_of`: the states of a task, by what the task is."""

from __future__ import annotations

from stepweave.asl import names
from stepweave.asl.bodies.batch import batch
from stepweave.asl.bodies.light import light
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.states import State
from stepweave.graph.model import Task
from stepweave.planning.placement import Placement


def body_of(wiring: Wiring) -> dict[str, State]:
    """The states of a task by name, the first one first."""
    return batch(wiring) if wiring.placement.compute == "batch" else light(wiring)


def entry_of(task: Task, placement: Placement) -> str:
    """Name of the first state of the body of ``task``."""
    return names.prepare(task.id) if placement.compute == "batch" else task.id
