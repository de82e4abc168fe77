"""A case in our engine, under the virtual clock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.events import Event
from stepweave.engine.failures import StateError
from stepweave.engine.integrations.base import Call, Integration
from stepweave.engine.machine import Machine
from stepweave.engine.objects import MemoryObjects
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError, UsageError
from tests.parity.cases import BUCKET, RESULTS_BUCKET, Case, Ending, World
from tests.parity.scenarios import Failure, plain

REFUSED = Ending("refused")


class _Answered(Integration):
    """Any task, answered by the world."""

    fake = True

    def __init__(self, world: World) -> None:
        self._world = world

    async def run(self, call: Call) -> Any:
        try:
            return self._world.answer(call.state, call.resource, call.arguments)
        except Failure as failure:
            raise StateError(failure.error, failure.cause) from failure


def in_our_engine(one: Case) -> list[Ending]:
    """How our engine ends ``one``, by input."""
    try:
        machine = parse(dict(one.definition), "machine")
    except DefinitionError:
        return [REFUSED] * len(one.inputs)
    return [_run(one, machine, value) for value in one.inputs]


def _run(one: Case, machine: Machine, value: Any) -> Ending:
    clock = VirtualClock()
    world = World(one.answers)
    objects = MemoryObjects({BUCKET: {"items.json": json.dumps(one.items)}, RESULTS_BUCKET: {}})
    entered: list[str] = []

    def listen(event: Event) -> None:
        if event.kind == "state_entered":
            entered.append(str(event.state))

    engine = Engine(
        {"machine": machine}, {"*": _Answered(world)}, clock=clock, objects=objects, listeners=[listen]
    )
    try:
        execution = clock.run(engine.run("machine", value, "execution"))
    except UsageError:
        return REFUSED
    events = [event for one in engine.executions.values() for event in one.history.events()]
    return Ending(
        execution.status,
        execution.error,
        execution.cause or "",
        execution.output,
        tuple(entered),
        tuple(world.calls),
        tuple(_assigned(events)),
        _count(events, "Started") != _count(events, "Succeeded"),
    )


def _count(events: list[dict[str, Any]], what: str) -> int:
    """How many Parallel and Map states, attempts counted apart, have started or succeeded."""
    return sum(event["type"] in (f"ParallelState{what}", f"MapState{what}") for event in events)


def _assigned(events: list[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        details = event.get("stateExitedEventDetails", {})
        for name, text in details.get("assignedVariables", {}).items():
            yield assignment(details["name"], name, text)


def assignment(state: str, name: str, text: str) -> str:
    """One variable that a state assigned, as text that is the same whoever wrote it."""
    return f"{state}: {name} = {json.dumps(plain(json.loads(text)), sort_keys=True)}"
