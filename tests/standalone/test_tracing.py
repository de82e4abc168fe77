"""What an execution did, read off its history."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stepweave.engine.failures import StateError
from stepweave.standalone.tracing import Trace, calls_of
from tests.engine.building import Lab, block, call, echo, failing, machine, passing

RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2}]


def fail(error: str = "Boom") -> dict[str, Any]:
    return {"Type": "Fail", "Error": error}


def each(*states: tuple[str, dict[str, Any]], items: Any = None, **fields: Any) -> dict[str, Any]:
    items = "{% [1..3] %}" if items is None else items
    return {"Type": "Map", "Items": items, "ItemProcessor": block(*states), **fields}


def traced(*states: tuple[str, dict[str, Any]], **functions: Any) -> Trace:
    return Trace(Lab({"main": machine(*states)}, functions).run())


def test_the_path_is_the_machines_own_states_and_the_states_are_all() -> None:
    trace = traced(("a", passing()), ("Each", each(("in", passing()))), ("z", passing()))
    assert trace.path == ["a", "Each", "z"]
    assert trace.states == ["a", "Each", "in", "in", "in", "z"]
    assert trace.branches("Each") == [["in"]] * 3
    assert trace.branches("a") is None
    assert trace.where() is None


def test_branches_have_their_paths() -> None:
    both = {
        "Type": "Parallel",
        "Branches": [block(("x", passing()), ("y", passing())), block(("z", passing()))],
    }
    assert traced(("Both", both)).branches("Both") == [["x", "y"], ["z"]]


def test_every_attempt_is_a_call() -> None:
    work = failing(StateError("Busy", "later"), times=2, then={"ok": True})
    trace = traced(("work", call("work", {"x": 1}, Retry=RETRY)), work=work)
    assert [(one.attempt, one.error, one.cause) for one in trace.calls] == [
        (0, "Busy", "later"),
        (1, "Busy", "later"),
        (2, None, None),
    ]
    first, _, last = trace.calls
    assert first.arguments == {"FunctionName": "work", "Payload": {"x": 1}}
    assert last.result["Payload"] == {"ok": True}
    assert (first.at, last.at) == (first.at, first.at + 3)
    assert (first.state, first.resource, first.execution) == ("work", "lambda:invoke", "run-1")


def test_a_call_as_json_has_its_result_or_its_error() -> None:
    trace = traced(("work", call("work", Retry=RETRY)), work=failing(StateError("Busy", "later"), 1))
    failed, worked = (one.to_json() for one in trace.calls)
    assert (failed["error"], failed["cause"], "result" in failed) == ("Busy", "later", False)
    assert (worked["result"]["Payload"], "error" in worked) == ("done", False)


def test_a_call_that_was_cut_off_has_neither() -> None:
    async def never(event: Any) -> Any:
        await asyncio.sleep(1e6)

    slow = {**machine(("work", call("never"))), "TimeoutSeconds": 5}
    execution = Lab({"main": slow}, {"never": never}).run()
    [cut] = Trace(execution).calls
    assert (cut.ended_at, "result" in cut.to_json(), "error" in cut.to_json()) == (None, False, False)
    assert Trace(execution).where() == "work"


def test_calls_of_several_executions_come_in_the_order_of_time() -> None:
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": "child"},
    }
    wait = {"Type": "Wait", "Seconds": 1}
    lab = Lab(
        {
            "main": machine(("nest", start), ("after", call("echo"))),
            "child": machine(("wait", wait), ("in", call("echo")), ("end", wait)),
        },
        {"echo": echo},
    )
    lab.run()
    assert [one.state for one in calls_of(lab.engine.executions.values())] == ["nest", "in", "after"]


@pytest.mark.parametrize(
    "states, where",
    [
        ([("a", passing()), ("b", fail())], "b"),
        ([("Each", each(("in", passing()), ("no", fail())))], "Each[0]/no"),
        (
            [("Outer", each(("Inner", each(("no", fail()), items=[1])), items=[1]))],
            "Outer[0]/Inner[0]/no",
        ),
    ],
)
def test_where_it_failed_is_a_path(states: list[tuple[str, dict[str, Any]]], where: str) -> None:
    assert traced(*states).where() == where


def test_of_several_iterations_the_one_that_failed_is_named() -> None:
    pick = {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $states.input = 2 %}", "Next": "no"}],
        "Default": "slow",
    }
    states = [("Pick", pick), ("slow", {"Type": "Wait", "Seconds": 9, "End": True}), ("no", fail())]
    assert traced(("Each", each(*states))).where() == "Each[1]/no"


def test_what_was_caught_inside_is_not_where_it_failed() -> None:
    caught = each(("no", fail()), Catch=[{"ErrorEquals": ["Boom"], "Next": "last"}])
    assert traced(("Each", caught), ("last", fail("End"))).where() == "last"
