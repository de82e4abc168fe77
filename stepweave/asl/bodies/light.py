"""A task on Lambda: one state."""

from __future__ import annotations

from stepweave.asl import states
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.states import State


def light(wiring: Wiring) -> dict[str, State]:
    """The state that calls the task runner."""
    state = states.light_task(wiring.task, wiring.placement, wiring.event())
    wiring.succeed(state, "{% $states.result.Payload %}")
    wiring.catch(state)
    return {wiring.task.id: state}
