"""A sensor that may poke for so long that the history of one execution has no room for it.

    x (a nested machine that pokes) → x: poked? ┬ there ──────────▶ on
      ▲                                         ├ failed, skipped ─▶ as a task that ended so
      └────────── not yet ──────────────────────┘

A sensor with fewer pokes is one state with a retrier, like any task (``asl/retries.py``).

Price: 1 transition per poke, and 2 for each nested machine.
"""

from __future__ import annotations

from typing import Any

from stepweave.asl import retries, states
from stepweave.asl.bodies.outlet import passing
from stepweave.asl.bodies.way import Way
from stepweave.asl.failures import ALL_ERRORS
from stepweave.asl.retries import NOT_YET
from stepweave.asl.scene import Scene
from stepweave.asl.scopes.scope import Repeat
from stepweave.asl.states import State
from stepweave.asl.text import quoted
from stepweave.graph.model import Task

MOST_POKES = 1_500
"""Pokes that a sensor may make in the execution of its DAG: 4,500 of its 25,000 events."""
POKES_AT_ONCE = 6_000
"""Pokes of one nested execution: 18,000 events, and as many more as its retries take."""


def is_long(task: Task) -> bool:
    """Whether ``task`` is a sensor that pokes in executions of its own."""
    return task.sensor is not None and retries.pokes(task.sensor) > MOST_POKES


def executions(task: Task) -> int:
    """How many of them there are at most."""
    assert task.sensor is not None
    return -(-retries.pokes(task.sensor) // POKES_AT_ONCE)


def sensed(way: Way, scene: Scene) -> dict[str, State]:
    """The states of a long sensor, the first one first; the machine that pokes is noted in ``scene``."""
    machine = f"sensor_{len(scene.further) + 1}"
    scene.further[machine] = _machine(way, f"machine {machine} of {scene.graph.dag.id}: pokes of {way.base}")
    poked, gave_up = f"{way.base}: poked?", f"{way.base}: gave up"
    scene.repeats[way.base] = scene.repeats[poked] = Repeat(1, executions(way.task))
    onward, further = passing(
        way.outlet, "$states.input.record", f"{way.base}: poked", later="$states.input.record"
    )
    choice: State = {
        "Type": "Choice",
        "Choices": [
            {"Condition": "{% $exists($states.input.record) %}", **onward},
            {"Condition": f"{{% {_is_poking(way)} %}}", "Next": way.base},
        ],
        "Default": gave_up,
    }
    return {way.base: _call(way, machine, poked), poked: choice, **further, **way.outlet.failing(gave_up)}


def _is_poking(way: Way) -> str:
    return f"$states.input.poking = {quoted(way.base)}"


def _call(way: Way, machine: str, poked: str) -> State:
    state = states.call(machine, {})
    arguments = state["Arguments"]["Input"]
    del arguments["run"], arguments["records"]
    event = {key: part for key, part in way.event.items() if key not in ("attempt", "sensor")}
    entered = f"{_is_poking(way)} ? $states.input.entered : $states.context.State.EnteredTime"
    state["Arguments"]["Input"] = {"event": event, "entered": f"{{% {entered} %}}", **arguments}
    state["Comment"] = f"up to {POKES_AT_ONCE:,} pokes of {way.task.id}"
    state["Output"] = "{% $states.result.Output %}"
    state["Next"] = poked
    caught = way.outlet.catchers()
    return {**state, **({"Catch": caught} if caught else {})}


def _machine(way: Way, comment: str) -> dict[str, Any]:
    """The machine that pokes: it hands back a record, an error, or that it was not there yet."""
    assert way.task.sensor is not None
    poke = states.light_task(way.task, way.placement, {})
    soft = "true" if way.task.sensor.soft_fail else "false"
    told = (
        "{'attempt': $states.context.State.RetryCount, 'sensor': {'entered': $states.input.entered, "
        f"'timeout': {way.task.sensor.timeout_seconds}, 'soft': {soft}}}}}"
    )
    poke["Arguments"]["Payload"] = f"{{% $merge([$states.input.event, {told}]) %}}"
    poke["Retry"] = [
        {**retrier, "MaxAttempts": POKES_AT_ONCE - 1} if retrier["ErrorEquals"] == [NOT_YET] else retrier
        for retrier in poke["Retry"]
    ]
    poke["Output"] = {"record": "{% $states.result.Payload %}"}
    poke["End"] = True
    poking, again, failed = f"{way.base}: poke", f"{way.base}: again", f"{way.base}: failed"
    not_yet = {"poking": way.base, "entered": "{% $states.input.entered %}"}
    poke["Catch"] = [
        {"ErrorEquals": [NOT_YET], "Output": not_yet, "Next": again},
        *({"ErrorEquals": errors, "Next": failed} for errors in ALL_ERRORS),
    ]
    ends: dict[str, State] = {name: {"Type": "Pass", "End": True} for name in (again, failed)}
    return {
        "Comment": comment,
        "QueryLanguage": "JSONata",
        "StartAt": poking,
        "States": {poking: poke, **ends},
    }
