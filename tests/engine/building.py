"""Small machines, and engines that run them under the virtual clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.events import Event
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.engine.parsing import parse

Handler = Callable[[Any], Awaitable[Any]]
LAMBDA = "arn:aws:states:::lambda:invoke"


def machine(*states: tuple[str, dict[str, Any]], **top: Any) -> dict[str, Any]:
    """A definition whose states follow each other in order, where they do not say otherwise."""
    return {"QueryLanguage": "JSONata", **block(*states), **top}


def block(*states: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """StartAt and States; a state without Next, End or an end of its own goes on with the next one."""
    linked: dict[str, Any] = {}
    names = [name for name, _ in states]
    for index, (name, state) in enumerate(states):
        ends = state["Type"] in ("Succeed", "Fail", "Choice") or "Next" in state or "End" in state
        following = {"Next": names[index + 1]} if index + 1 < len(names) else {"End": True}
        linked[name] = state if ends else {**state, **following}
    return {"StartAt": names[0], "States": linked}


def call(function: str, payload: Any = None, **fields: Any) -> dict[str, Any]:
    """A Task that invokes ``function``."""
    if isinstance(payload, int | float):
        payload = f"{{% {payload} %}}"  # Step Functions takes no number that is written out
    arguments = {"FunctionName": function, "Payload": {} if payload is None else payload}
    return {"Type": "Task", "Resource": LAMBDA, "Arguments": arguments, **fields}


def passing(**fields: Any) -> dict[str, Any]:
    """A Pass state."""
    return {"Type": "Pass", **fields}


class Lab:
    """An engine with a virtual clock, the functions given, and the events it told."""

    def __init__(
        self,
        machines: Mapping[str, Any],
        functions: Mapping[str, Handler] | None = None,
        integrations: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.clock = VirtualClock()
        self.events: list[Event] = []
        self.engine = Engine(
            {name: parse(definition, name) for name, definition in machines.items()},
            {
                **lambda_integrations(functions or {}),
                **start_execution_integrations(),
                **(integrations or {}),
            },
            clock=self.clock,
            listeners=[self.events.append],
            **options,
        )

    def run(self, value: Any = None, machine: str = "main", name: str = "run-1") -> Execution:
        return self.clock.run(self.engine.run(machine, value, name))


def run(definition: dict[str, Any], value: Any = None, **functions: Handler) -> Execution:
    """The ended execution of one machine."""
    return Lab({"main": definition}, functions).run(value)


def result_of(definition: dict[str, Any], value: Any = None, **functions: Handler) -> Any:
    """The output of one machine, which must succeed."""
    execution = run(definition, value, **functions)
    assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
    return execution.output


async def echo(event: Any) -> Any:
    """The event."""
    return event


def failing(error: Exception, times: int = 10**9, then: Any = "done") -> Handler:
    """A function that raises ``error`` the first ``times`` times."""
    calls = 0

    async def function(event: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls <= times:
            raise error
        return then

    return function
