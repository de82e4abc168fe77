"""How failures are recorded: names, causes, places.

The facts are from executions that others ran on AWS: the snapshots of localstack
(https://github.com/localstack/localstack, tests/aws/services/stepfunctions, 2023 to 2026), floci
(https://github.com/floci-io/floci/issues/2665, /2733, /2736, /pull/2689, /pull/3167, us-east-1, 2026) and the notes of
sfnx (https://github.com/iwamot/sfnx/blob/main/docs/design.md). The machines here are our own.
"""

import asyncio
from typing import Any

import pytest

from stepweave.engine.execution import Execution
from tests.engine.building import LAMBDA, Lab, block, call, failing, machine, passing, run
from tests.engine.recording import details, steps, where

HANDLED = [{"ErrorEquals": ["States.ALL"], "Next": "handled"}]
LARGE = "x" * 262_145
WAITING = {
    "Type": "Task",
    "Resource": f"{LAMBDA}.waitForTaskToken",
    "Arguments": {"FunctionName": "send", "Payload": {}},
}


async def slow(event: Any) -> Any:
    """The event, too late."""
    await asyncio.sleep(60)
    return event


def test_a_choice_that_leads_nowhere_ends_the_execution_whatever_would_catch_it() -> None:
    choice = {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "x"}]}
    branch = block(("c", choice), ("x", passing()))
    state = {"Type": "Parallel", "Branches": [branch], "Catch": HANDLED}
    execution = run(machine(("p", state), ("handled", passing())))
    assert steps(execution)[3:] == ["4<3 ChoiceStateEntered", "5<4 ExecutionFailed"]
    assert details(execution, "ExecutionFailed") == {
        "error": "States.Runtime",
        "cause": where("c", 4)
        + "Failed to transition out of the state. The state does not point to a next state.",
    }


def test_a_task_that_takes_too_long_has_no_cause() -> None:
    execution = run(machine(("t", call("slow", TimeoutSeconds=5))), slow=slow)
    assert details(execution, "TaskTimedOut") == {
        "error": "States.Timeout",
        "resourceType": "lambda",
        "resource": "invoke",
    }
    assert details(execution, "ExecutionFailed") == {"error": "States.Timeout"}


@pytest.mark.parametrize("name", ["States.HeartbeatTimeout", "States.Timeout"])
def test_a_missed_heartbeat_is_recorded_as_a_timeout_and_caught_by_either_name(name: str) -> None:
    state = {
        **WAITING,
        "HeartbeatSeconds": 5,
        "TimeoutSeconds": 600,
        "Catch": [{"ErrorEquals": [name], "Next": "handled"}],
    }

    async def send(event: Any) -> None:
        return None

    execution = run(machine(("t", state), ("handled", passing())), send=send)
    assert steps(execution)[4:7] == ["5<4 TaskSubmitted", "6<5 TaskTimedOut", "7<6 TaskStateExited"]
    assert (details(execution, "TaskTimedOut") or {}).get("error") == "States.Timeout"
    assert "cause" not in (details(execution, "TaskTimedOut") or {})
    assert execution.output["Error"] == "States.Timeout"


def test_an_execution_that_takes_too_long_has_an_error_in_its_history_only() -> None:
    execution = run(machine(("w", {"Type": "Wait", "Seconds": 60}), TimeoutSeconds=5))
    assert (execution.status, execution.error, execution.cause) == ("TIMED_OUT", None, None)
    assert details(execution, "ExecutionTimedOut") == {"error": "States.Timeout"}


def test_a_stopped_execution_is_told_with_what_was_given_and_nothing_else() -> None:
    lab = Lab({"main": machine(("w", {"Type": "Wait", "Seconds": 60}))})

    async def stopped(name: str, *reason: str) -> Execution:
        lab.engine.start("main", {}, name)
        await asyncio.sleep(1)
        lab.engine.stop(name, *reason)
        return await lab.engine.wait(name)

    assert details(lab.clock.run(stopped("plain")), "ExecutionAborted") == {}
    assert details(lab.clock.run(stopped("told", "Mine", "enough")), "ExecutionAborted") == {
        "error": "Mine",
        "cause": "enough",
    }


def test_a_fail_state_is_told_with_what_it_says_and_nothing_else() -> None:
    assert details(run(machine(("f", {"Type": "Fail"}))), "ExecutionFailed") == {}
    said = run(machine(("f", {"Type": "Fail", "Cause": "{% 'for ' & 'this' %}"})))
    assert details(said, "ExecutionFailed") == {"cause": "for this"}


@pytest.mark.parametrize("name", ["States.ALL", "States.TaskFailed", "States.DataLimitExceeded"])
def test_a_result_that_is_too_large_fails_the_task_and_is_caught_by_the_wildcards(name: str) -> None:
    async def large(event: Any) -> str:
        return LARGE

    state = call("large", Catch=[{"ErrorEquals": [name], "Next": "handled"}])
    execution = run(machine(("t", state), ("handled", passing())), large=large)
    assert details(execution, "TaskFailed") == {
        "error": "States.DataLimitExceeded",
        "cause": "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes "
        "service limit.",
        "resourceType": "lambda",
        "resource": "invoke",
    }
    assert execution.status == "SUCCEEDED"


def test_an_output_that_is_too_large_ends_the_execution_in_the_state() -> None:
    output = "{% $join($map([1..262145], function($n) { 'x' })) %}"
    execution = run(machine(("s", passing(Output=output))))
    assert steps(execution)[1:] == ["2<0 PassStateEntered", "3<2 ExecutionFailed"]
    assert details(execution, "ExecutionFailed") == {
        "error": "States.DataLimitExceeded",
        "cause": "The state/task 's' returned a result with a size exceeding the maximum number of bytes service "
        "limit.",
    }


def test_the_failure_of_a_function_is_the_type_of_its_exception() -> None:
    execution = run(machine(("t", call("bad"))), bad=failing(ValueError("no")))
    assert (details(execution, "TaskFailed") or {})["error"] == "ValueError"
    assert (details(execution, "ExecutionFailed") or {})["error"] == "ValueError"
