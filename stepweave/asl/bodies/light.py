"""A task on Lambda: one state, and where it is tried again, one that waits when it asks to be put off."""

from __future__ import annotations

from stepweave.asl import states
from stepweave.asl.bodies import later
from stepweave.asl.bodies.way import Way
from stepweave.asl.states import State


def light(way: Way) -> dict[str, State]:
    """The state that calls the task runner."""
    event = {**way.event, **later.told(way)}
    state = states.light_task(way.task, way.placement, event)
    way.outlet.succeed(state, "{% $states.result.Payload %}")
    catchers = way.outlet.catchers()
    found = {way.base: state}
    if later.possible(way):
        made = f"({later.from_input(way, 'attempts')}) + $states.context.State.RetryCount + 1"
        catchers.insert(0, later.catcher(way, later.from_input(way), made))
        found |= later.waiting(way)
    if catchers:
        state["Catch"] = catchers
    return found
