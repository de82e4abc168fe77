"""`body_of`: the states of a task, by what the task is."""

from __future__ import annotations

from stepweave.asl.bodies import called
from stepweave.asl.bodies.approval import approval
from stepweave.asl.bodies.nested import nested
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.scopes import loops, maps, speculations
from stepweave.asl.states import State
from stepweave.graph.model import Task
from stepweave.planning.placement import Placement


def body_of(wiring: Wiring) -> dict[str, State]:
    """The states of a task by name, the first one first."""
    if wiring.task.expansion is not None:
        return maps.mapped(wiring)
    if wiring.task.loop is not None:
        return loops.looped(wiring)
    if wiring.task.body is not None:
        return speculations.speculated(wiring)
    if wiring.task.approval is not None:
        return approval(wiring)
    if wiring.task.nested is not None:
        return nested(wiring)
    return called.called(wiring)


def entry_of(task: Task, placement: Placement) -> str:
    """Name of the first state of the body of ``task``."""
    if task.expansion is not None:
        return maps.entry(task)
    if task.loop is not None:
        return loops.entry(task)
    if task.body is not None or task.approval is not None or task.nested is not None:
        return task.id
    return called.entry(task, placement)
