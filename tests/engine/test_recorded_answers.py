"""What AWS tells of an execution: DescribeExecution, ListExecutions, and the context inside of it.

The facts are from executions that others ran on AWS: the snapshots of localstack
(https://github.com/localstack/localstack, tests/aws/services/stepfunctions, 2023 to 2025). The machines here are our
own.
"""

import asyncio
from typing import Any

import pytest

from tests.engine.building import LAMBDA, Lab, call, echo, machine, passing, run

WHOLE = "{% $states.context %}"
WAIT = {"Type": "Wait", "Seconds": 60}
ALWAYS = {
    "executionArn", "input", "inputDetails", "name", "redriveCount", "redriveStatus", "startDate", "stateMachineArn",
    "status",
}  # fmt: skip


def described(lab: Lab, stop: tuple[str, ...] | None = None) -> dict[str, Any]:
    """DescribeExecution's answer for an execution that ended, or was stopped after one second."""

    async def scenario() -> None:
        lab.engine.start("main", {"a": 1}, "run-1")
        if stop is not None:
            await asyncio.sleep(1)
            lab.engine.stop("run-1", *stop)
        await lab.engine.wait("run-1")

    lab.clock.run(scenario())
    return lab.engine.describe("run-1")


def test_an_execution_that_succeeded_has_an_output_and_cannot_be_redriven() -> None:
    answer = described(Lab({"main": machine(("a", passing()))}))
    assert set(answer) == ALWAYS | {"output", "outputDetails", "redriveStatusReason", "stopDate"}
    assert (answer["status"], answer["input"], answer["output"]) == ("SUCCEEDED", '{"a":1}', '{"a":1}')
    assert answer["inputDetails"] == answer["outputDetails"] == {"included": True}
    assert (answer["redriveCount"], answer["redriveStatus"]) == (0, "NOT_REDRIVABLE")
    assert answer["redriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"


@pytest.mark.parametrize(
    "said", [{}, {"error": "Mine"}, {"cause": "enough"}, {"error": "Mine", "cause": "enough"}]
)
def test_an_execution_that_failed_has_what_its_fail_state_says_and_can_be_redriven(
    said: dict[str, str],
) -> None:
    state = {"Type": "Fail", **{name.title(): text for name, text in said.items()}}
    answer = described(Lab({"main": machine(("f", state))}))
    assert set(answer) == ALWAYS | {"stopDate", *said}
    assert {name: answer[name] for name in said} == said
    assert (answer["status"], answer["redriveStatus"]) == ("FAILED", "REDRIVABLE")


def test_an_execution_that_timed_out_has_neither_error_nor_cause() -> None:
    answer = described(Lab({"main": machine(("w", WAIT), TimeoutSeconds=5)}))
    assert set(answer) == ALWAYS | {"stopDate"}
    assert (answer["status"], answer["redriveStatus"]) == ("TIMED_OUT", "REDRIVABLE")


@pytest.mark.parametrize("reason", [(), ("Mine", "enough")])
def test_an_execution_that_was_stopped_has_the_reason_that_was_given(reason: tuple[str, ...]) -> None:
    answer = described(Lab({"main": machine(("w", WAIT))}), reason)
    assert set(answer) == ALWAYS | {"stopDate"} | ({"error", "cause"} if reason else set())
    assert (answer.get("error"), answer.get("cause")) == (reason or (None, None))
    assert (answer["status"], answer["redriveStatus"]) == ("ABORTED", "REDRIVABLE")


def test_an_execution_that_runs_has_no_end_and_is_listed_so() -> None:
    lab = Lab({"main": machine(("w", WAIT))})

    async def scenario() -> tuple[dict[str, Any], dict[str, Any]]:
        lab.engine.start("main", {}, "run-1")
        await asyncio.sleep(1)
        (listed,) = lab.engine.list_executions()
        return lab.engine.describe("run-1"), listed

    answer, listed = lab.clock.run(scenario())
    assert set(answer) == ALWAYS | {"redriveStatusReason"}
    assert answer["redriveStatusReason"] == "Execution is RUNNING and cannot be redriven"
    assert set(listed) == {"executionArn", "name", "redriveCount", "startDate", "stateMachineArn", "status"}


def test_an_execution_that_ended_is_listed_with_its_end() -> None:
    lab = Lab({"main": machine(("a", passing()))})
    lab.run()
    (listed,) = lab.engine.list_executions()
    assert set(listed) == {
        "executionArn", "name", "redriveCount", "startDate", "stateMachineArn", "status", "stopDate",
    }  # fmt: skip


def test_the_context_of_a_state_tells_the_execution_the_machine_and_the_state() -> None:
    context = run(machine(("a", passing(Output=WHOLE))), {"in": 1}).output
    assert {name: set(part) for name, part in context.items()} == {
        "Execution": {"Id", "Input", "StartTime", "Name", "RoleArn", "RedriveCount"},
        "StateMachine": {"Id", "Name"},
        "State": {"Name", "EnteredTime"},
    }
    assert context["Execution"]["Input"] == {"in": 1}
    assert (context["State"]["Name"], context["Execution"]["RedriveCount"]) == ("a", 0)


def test_the_context_of_a_task_tells_its_retries() -> None:
    given: list[Any] = []

    async def stubborn(event: Any) -> Any:
        given.append(event)
        if len(given) < 3:
            raise ValueError("again")
        return event

    task = call("stubborn", "{% $states.context.State.RetryCount %}", Retry=[{"ErrorEquals": ["ValueError"]}])
    assert run(machine(("t", task)), stubborn=stubborn).status == "SUCCEEDED"
    assert given == [0, 1, 2]


def test_the_context_of_a_task_without_a_token_tells_none() -> None:
    context = run(machine(("t", call("echo", WHOLE))), echo=echo).output["Payload"]
    assert set(context) == {"Execution", "StateMachine", "State"}
    assert set(context["State"]) == {"Name", "EnteredTime", "RetryCount"}


def test_the_context_of_a_task_that_waits_for_its_token_tells_it() -> None:
    told: list[Any] = []

    async def send(event: Any) -> None:
        told.append(event)
        lab.engine.tokens.send_success(event["Task"]["Token"], {"done": True})

    arguments = {"FunctionName": "send", "Payload": WHOLE}
    task = {"Type": "Task", "Resource": f"{LAMBDA}.waitForTaskToken", "Arguments": arguments}
    lab = Lab({"main": machine(("t", task), ("after", passing(Output=WHOLE)))}, {"send": send})
    execution = lab.run()
    assert set(told[0]) == {"Execution", "StateMachine", "State", "Task"}
    assert "Task" not in execution.output
