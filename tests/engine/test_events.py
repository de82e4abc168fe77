"""The live event stream."""

import pytest

from stepweave.engine.engine import Engine
from stepweave.engine.events import Event
from stepweave.engine.parsing import parse
from tests.engine.building import Lab, call, failing, machine, passing


def test_listeners_hear_everything_in_order() -> None:
    task = call("once", {"n": 1}, Retry=[{"ErrorEquals": ["ValueError"], "IntervalSeconds": 4}])
    lab = Lab(
        {"main": machine(("t", task), ("end", passing(Output="out")))},
        {"once": failing(ValueError("v"), times=1)},
    )
    lab.run("in")
    assert [(event.kind, event.state, event.attempt, event.at - lab.clock.epoch) for event in lab.events] == [
        ("execution_started", None, 0, 0),
        ("state_entered", "t", 0, 0),
        ("task_scheduled", "t", 0, 0),
        ("task_started", "t", 0, 0),
        ("task_failed", "t", 0, 0),
        ("task_retrying", "t", 0, 0),
        ("task_scheduled", "t", 1, 4),
        ("task_started", "t", 1, 4),
        ("task_succeeded", "t", 1, 4),
        ("state_exited", "t", 1, 4),
        ("state_entered", "end", 0, 4),
        ("state_exited", "end", 0, 4),
        ("execution_ended", None, 0, 4),
    ]
    by_kind = {event.kind: event for event in lab.events}
    assert by_kind["task_failed"].error == by_kind["task_retrying"].error == "ValueError"
    assert by_kind["task_retrying"].delay_seconds == 4
    assert by_kind["task_scheduled"].data["Payload"] == {"n": 1}
    assert by_kind["task_scheduled"].resource == "lambda:invoke"
    assert by_kind["task_succeeded"].data["Payload"] == "done"
    assert (by_kind["execution_ended"].status, by_kind["execution_ended"].data) == ("SUCCEEDED", "out")
    assert {(event.execution, event.machine) for event in lab.events} == {("run-1", "main")}


def test_the_end_tells_error_and_cause() -> None:
    lab = Lab({"main": machine(("f", {"Type": "Fail", "Error": "Bad", "Cause": "why"}))})
    lab.run()
    last = lab.events[-1]
    assert (last.kind, last.status, last.error, last.cause) == ("execution_ended", "FAILED", "Bad", "why")


def test_a_listener_that_raises_ends_the_run_and_its_caller_learns_it() -> None:
    def broken(event: Event) -> None:
        if event.kind == "state_entered":
            raise ZeroDivisionError("in the listener")

    engine = Engine({"main": parse(machine(("a", passing())), "main")}, {}, listeners=[broken])
    with pytest.raises(ZeroDivisionError, match="in the listener"):
        engine.clock.run(engine.run("main", name="run-1"))
    assert engine.executions["run-1"].status == "FAILED"
