"""`body_of`: the states of a task, by what the task is."""

from __future__ import annotations

from stepweave.asl.bodies import called
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.states import State
from stepweave.graph.model import Task
from stepweave.planning.placement import Placement


def body_of(wiring: Wiring) -> dict[str, State]:
    """The states of a task by name, the first one first."""
    return called.called(wiring)


def entry_of(task: Task, placement: Placement) -> str:
    """Name of the first state of the body of ``task``."""
    return called.entry(task, placement)
