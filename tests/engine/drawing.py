"""Machines that hypothesis draws for the engine alone: everything that can be in flight, and a world that answers.

What a machine ends with is a function of its definition and its input, whenever it is left and gone on with: beside a
line that may fail no other line may, tasks decide by their arguments, and no expression reads a clock.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from stepweave.engine.engine import Engine
from stepweave.engine.failures import StateError
from stepweave.engine.integrations.base import TOKEN_SUFFIX, Call, Integration
from stepweave.engine.tokens import TaskTokenError
from tests.engine.building import LAMBDA, call, machine, passing

INPUTS: tuple[Any, ...] = ({"a": 1, "b": [1, 2]}, {"a": "text"}, [], "ü😀", 0, None)
SOUND = ("[@]", "{'k': @}", "$type(@)", "$string(@)", "$count([@])", "@ = 1", "$exists(@) ? @ : 0", "'x'")
"""Expressions that never fail and hardly grow."""
READ = ("$states.input", "$states.context.Execution.Input", "$states.context.State.Name", "7")
ERRORS = ("E", "F", "Lambda.Unknown")
INNER = machine(
    (
        "deep",
        call("f", {"do": {"seconds": 2}, "in": "{% $states.input %}"}, Output="{% $states.result.Payload %}"),
    ),
    ("nap", {"Type": "Wait", "Seconds": 3}),
)
"""The machine that nested executions run."""
FOR_EVER_SECONDS = 1e7
RESULT = "{% $states.result.Payload %}"


def answer_of(arguments: dict[str, Any]) -> Any:
    """What a task answers, by its arguments."""
    return arguments["Payload"].get("in")


class World(Integration):
    """Everything that tasks call. It does what the payload says, unless it is mended: then nothing fails."""

    def __init__(self) -> None:
        self.mended = False
        self.calls: list[str] = []
        """Names of the calls made, which are unique."""
        self.engine: Engine | None = None

    async def run(self, one: Call) -> Any:
        self.calls.append(one.name)
        payload = one.arguments["Payload"]
        do = payload["do"]
        broken = not self.mended and payload.get("try", 0) < do.get("fails", 0)
        if one.resource.endswith(TOKEN_SUFFIX):
            if not broken:
                self.answer_later(payload["token"], one.arguments, do["seconds"])
            return {}
        await asyncio.sleep(FOR_EVER_SECONDS if broken and "error" not in do else do["seconds"])
        if broken:
            raise StateError(do["error"], "why")
        return {"Payload": answer_of(one.arguments)}

    def answer_later(self, token: str, arguments: dict[str, Any], seconds: float) -> None:
        """Send a token back, if its task has not ended by then."""
        assert self.engine is not None
        tokens = self.engine.tokens

        def answer() -> None:
            with contextlib.suppress(TaskTokenError):
                tokens.send_success(token, {"Payload": answer_of(arguments)})

        asyncio.get_running_loop().call_later(seconds, answer)


@dataclass(slots=True)
class _Drawn:
    """What is drawn so far."""

    draw: st.DrawFn
    mendable: bool
    """Whether only tasks may fail, so that nothing fails once the world is mended."""
    count: int = 0
    variables: list[str] = field(default_factory=list)
    """Those that may be read."""

    def name(self, kind: str) -> str:
        """A name that no other state or variable has."""
        self.count += 1
        return f"{kind}{self.count}"

    def one(self, values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) < percent

    def expression(self) -> str:
        variables = [f"($exists(${name}) ? ${name} : 0)" for name in self.variables]
        text: str = self.one(SOUND)
        return "{% " + text.replace("@", self.one((*READ, *variables))) + " %}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a block stands."""

    depth: int
    failing: bool
    """Whether what is here may fail."""
    item: bool = False
    """Whether its input is an item of a map, of which the item 2 may fail."""


@st.composite
def machines(draw: st.DrawFn, *, mendable: bool = False) -> tuple[dict[str, Any], Any]:
    """A definition and an input."""
    drawn = _Drawn(draw, mendable)
    block = _block(drawn, _Place(0, True))
    return {"QueryLanguage": "JSONata", **block}, drawn.one(INPUTS)


def _block(drawn: _Drawn, place: _Place) -> dict[str, Any]:
    """A line of states, each of which leads to the next one and perhaps, besides, to a later one."""
    kinds = ("Pass", "Task", "Task", "Choice", "Wait") + (
        ("Parallel", "Map", "Spread") if place.depth < 2 else ()
    )
    chosen = [drawn.one(kinds) for _ in range(drawn.one((1, 2) if place.depth else (2, 3, 4)))]
    if place.item and place.failing:
        chosen[0] = "Task"
    names = [drawn.name(kind[0].lower()) for kind in (*chosen, "End")]
    outer = list(drawn.variables)
    states: dict[str, Any] = {}
    for index, kind in enumerate(chosen):
        later = names[index + 1 :]
        states[names[index]] = _state(drawn, kind, place, later, first=index == 0)
    last = passing(End=True, Output=drawn.expression()) if drawn.chance(70) else {"Type": "Succeed"}
    if place.failing and not place.item and not drawn.mendable and drawn.chance(15):
        last = {"Type": "Fail", "Error": "End", "Cause": "c"}
    states[names[-1]] = last
    drawn.variables = outer
    return {"StartAt": names[0], "States": states}


def _state(drawn: _Drawn, kind: str, place: _Place, later: list[str], *, first: bool) -> dict[str, Any]:
    match kind:
        case "Task":
            state = _task(drawn, place, first)
        case "Choice":
            rule = {"Condition": "{% $exists($states.input.a) %}", "Next": drawn.one(later)}
            return {"Type": "Choice", "Choices": [rule], "Default": later[0]}
        case "Parallel" | "Map" | "Spread":
            state = _around(drawn, kind, place)
        case "Wait":
            seconds = drawn.one((0, 3, "{% 2 + 2 %}"))
            past = {"Timestamp": "2026-01-01T00:00:05Z"}
            state = {"Type": "Wait", **(past if drawn.chance(20) else {"Seconds": seconds})}
        case _:
            state = passing(Output=drawn.expression())
    if drawn.chance(25):
        name = drawn.name("v")
        state["Assign"] = {name: drawn.expression()}
        drawn.variables.append(name)
    if state["Type"] in ("Task", "Parallel", "Map") and place.failing and drawn.chance(30):
        state["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": drawn.one(later), "Output": "caught"}]
    return {**state, "Next": later[0]}


def _task(drawn: _Drawn, place: _Place, first: bool) -> dict[str, Any]:
    """A call of a function, directly, by token or of a nested execution."""
    kind = drawn.one(("function", "function", "token", "nested"))
    if kind == "nested" and not (place.item and first):
        arguments = {"StateMachineArn": "inner", "Input": {"x": drawn.expression()}}
        resource = "arn:aws:states:::states:startExecution.sync:2"
        return {
            "Type": "Task",
            "Resource": resource,
            "Arguments": arguments,
            "Output": "{% $states.result.Output %}",
        }
    do: dict[str, Any] = {"seconds": drawn.one((0, 1, 2.5))}
    fields: dict[str, Any] = {}
    if place.failing and (not place.item or first) and drawn.chance(45):
        fails = drawn.one((1, 2, 99))
        do["fails"] = f"{{% $states.input = 2 ? {fails} : 0 %}}" if place.item else fails
        if kind == "token" or drawn.chance(30):
            fields["TimeoutSeconds"] = 40  # of a call that is never answered
        else:
            do["error"] = drawn.one(ERRORS)
        if drawn.chance(60):
            retrier = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "IntervalSeconds": drawn.one((1, 5))}
            fields["Retry"] = [retrier | ({"JitterStrategy": "FULL"} if drawn.chance(30) else {})]
    payload = {"do": do, "in": "{% $states.input %}", "try": "{% $states.context.State.RetryCount %}"}
    if kind == "token":
        payload["token"] = "{% $states.context.Task.Token %}"
    resource = LAMBDA + (TOKEN_SUFFIX if kind == "token" else "")
    return call("f", payload, Output=RESULT, **fields) | {"Resource": resource}


def _around(drawn: _Drawn, kind: str, place: _Place) -> dict[str, Any]:
    """A Parallel, an inline Map or a distributed one."""
    failing = place.failing and not place.item
    if kind == "Parallel":
        count = drawn.one((1, 2, 3))
        fails = drawn.draw(st.integers(0, count - 1))
        branches = [
            _block(drawn, _Place(place.depth + 1, failing and index == fails)) for index in range(count)
        ]
        state: dict[str, Any] = {"Type": "Parallel", "Branches": branches}
    else:
        outer = drawn.variables
        drawn.variables = [] if kind == "Spread" else outer  # executions of their own do not see them
        processor = _block(drawn, _Place(place.depth + 1, failing, item=True))
        drawn.variables = outer
        state = {
            "Type": "Map",
            "Items": drawn.one(("{% [1, 2, 3] %}", [1, 2], [])),
            "ItemProcessor": processor,
        }
        if drawn.chance(50):
            state["MaxConcurrency"] = drawn.one((1, 2))
        if kind == "Spread":
            _distribute(drawn, state)
    if not drawn.mendable and failing and drawn.chance(30):
        state["Retry"] = [{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 1}]
    return state


def _distribute(drawn: _Drawn, state: dict[str, Any]) -> None:
    """Make the Map a distributed one."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": drawn.one(("STANDARD", "EXPRESS"))}
    if _waits_for_somebody(state["ItemProcessor"]):
        config["ExecutionType"] = "STANDARD"
    state["ItemProcessor"]["ProcessorConfig"] = config
    if drawn.chance(30):
        state["ToleratedFailurePercentage"] = 100


def _waits_for_somebody(block: dict[str, Any]) -> bool:
    """Whether an Express execution could not run the block."""
    text = repr(block)
    return TOKEN_SUFFIX in text or ".sync" in text or "DISTRIBUTED" in text
