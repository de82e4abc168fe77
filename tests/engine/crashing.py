"""A machine with everything in it that can be in flight, and what is left of its journal after a crash."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.failures import FunctionError
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.engine.journal import Journal
from stepweave.engine.parsing import parse
from tests.engine.building import block, call, machine, passing

RESULT = "{% $states.result.Payload %}"
WAIT_FOR_TOKEN = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Arguments": {"FunctionName": "ask", "Payload": {"token": "{% $states.context.Task.Token %}"}},
    "TimeoutSeconds": 600,
}
FAILS_TWICE = call(
    "shaky",
    {"item": "{% $states.input %}", "attempt": "{% $states.context.State.RetryCount %}"},
    Output=RESULT,
    Retry=[{"ErrorEquals": ["Shaky"], "IntervalSeconds": 5}],
)
CHILDREN = {
    "Type": "Map",
    "Items": "{% [10..13] %}",
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        **block(("child", call("double", "{% $states.input %}", Output=RESULT))),
    },
}
NESTED = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution.sync:2",
    "Arguments": {"StateMachineArn": "inner", "Input": {"x": "{% $seen %}"}},
    "Output": "{% $states.result.Output %}",
}
MACHINES = {
    "main": machine(
        ("first", call("double", "{% $states.input.n %}", Assign={"seen": RESULT}, Output=RESULT)),
        ("pause", {"Type": "Wait", "Seconds": 30}),
        (
            "both",
            {
                "Type": "Parallel",
                "Branches": [
                    block(
                        (
                            "each",
                            {
                                "Type": "Map",
                                "Items": "{% [1..3] %}",
                                "MaxConcurrency": 2,
                                "ItemProcessor": block(
                                    ("shaky", FAILS_TWICE), ("rest", {"Type": "Wait", "Seconds": 1})
                                ),
                            },
                        )
                    ),
                    block(("token", WAIT_FOR_TOKEN)),
                    block(("spread", CHILDREN)),
                    block(("nested", NESTED)),
                ],
            },
        ),
        ("last", passing(Output={"seen": "{% $seen %}", "all": "{% $states.input %}"})),
    ),
    "inner": machine(
        ("deep", call("double", "{% $states.input.x %}", Output=RESULT)),
        ("nap", {"Type": "Wait", "Seconds": 3}),
    ),
}
INPUT = {"n": 21}
OUTPUT = {"seen": 42, "all": [[2, 4, 6], "answered", [20, 22, 24, 26], 84]}


class World:
    """Everything outside of the engine: it goes on when the engine dies. It counts what was asked of it."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.tokens: dict[str, str] = {}

    async def double(self, event: Any) -> Any:
        self.calls[f"double {event}"] += 1
        await asyncio.sleep(2)
        return event * 2

    async def shaky(self, event: Any) -> Any:
        self.calls[f"shaky {event['item']} {event['attempt']}"] += 1
        await asyncio.sleep(1)
        if event["attempt"] < 2:
            raise FunctionError("Shaky", "again")
        return event["item"] * 2

    async def ask(self, event: Any) -> Any:
        self.calls["ask"] += 1
        self.tokens[event["token"]] = "answered"


def run(path: Path, world: World, epoch: float = 1_767_225_600.0, *, name: str = "run") -> Execution:
    """The ended execution of ``main``, begun or gone on with as its journal at ``path`` says."""
    clock = VirtualClock(epoch)
    functions = {"double": world.double, "shaky": world.shaky, "ask": world.ask}
    with Journal(path, "test") as journal:
        engine = Engine(
            {machine_name: parse(definition, machine_name) for machine_name, definition in MACHINES.items()},
            {**lambda_integrations(functions), **start_execution_integrations()},
            clock=clock,
            journal=journal,
        )

        async def answer() -> None:
            """Somebody who sends every token back a minute after it was asked for."""
            while True:
                await asyncio.sleep(60)
                for token in tuple(world.tokens):
                    engine.tokens.send_success(token, world.tokens.pop(token))

        async def main() -> Execution:
            answering = asyncio.create_task(answer())
            try:
                known = engine.executions.get(name)
                if known is None:
                    return await engine.run("main", INPUT, name)
                return await engine.wait(engine.resume(name).name)
            finally:
                answering.cancel()

        return clock.run(main())


def ended_calls(lines: list[bytes]) -> Counter[str]:
    """How many calls each state's tasks have ended, by a journal's lines."""
    ended: Counter[str] = Counter()
    for line in lines[1:]:
        entry = json.loads(line)
        if isinstance(entry, list) and entry[1] in ("TaskSucceeded", "TaskFailed"):
            ended[entry[1]] += 1
    return ended


def last_time(lines: list[bytes], default: float) -> float:
    """The latest time in a journal's lines."""
    times = [entry[3] for line in lines[1:] if isinstance(entry := json.loads(line), list)]
    return max(times, default=default)
