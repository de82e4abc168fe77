"""``aws-sdk:sfn``: the API of Step Functions, answered by the engine."""

from __future__ import annotations

from typing import Any

import pytest

from stepweave.engine.integrations.sfn_api import StepFunctionsApi
from stepweave.errors import DefinitionError, UsageError
from tests.engine.building import Lab, machine, passing

ARN = "arn:aws:states:local:000000000000:execution:"
CHILD = "arn:aws:states:local:000000000000:stateMachine:child"


def api(action: str, arguments: Any, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:sfn:{action}",
        "Arguments": arguments,
        **fields,
    }


def wait(seconds: int) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": seconds}


def lab_of(*states: tuple[str, dict[str, Any]], child: dict[str, Any] | None = None) -> Lab:
    served = StepFunctionsApi()
    lab = Lab(
        {"main": machine(*states), "child": child or machine(("w", wait(60)))},
        None,
        {"aws-sdk:sfn:*": served},
    )
    served.connect(lab.engine)
    return lab


def start(name: str = "c1", **more: Any) -> dict[str, Any]:
    return api("startExecution", {"StateMachineArn": CHILD, "Name": name, **more})


def test_an_execution_is_started_and_described() -> None:
    lab = lab_of(
        ("s", start(Input={"a": 1})),
        ("w", wait(90)),
        ("d", api("describeExecution", {"ExecutionArn": "{% $states.input.ExecutionArn %}"})),
    )
    described = lab.run().output
    assert described["ExecutionArn"] == f"{ARN}child:c1"
    assert (described["Status"], described["Input"], described["Output"]) == (
        "SUCCEEDED",
        '{"a":1}',
        '{"a":1}',
    )
    assert (described["StartDate"], described["StopDate"]) == ("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z")
    assert described["InputDetails"] == {"Included": True}


def test_what_runs_is_listed_and_stopped() -> None:
    lab = lab_of(
        ("s", start()),
        ("l", api("listExecutions", {"StateMachineArn": CHILD, "StatusFilter": "RUNNING"})),
        (
            "x",
            api(
                "stopExecution",
                {
                    "ExecutionArn": "{% $states.input.Executions[0].ExecutionArn %}",
                    "Error": "E",
                    "Cause": "C",
                },
            ),
        ),
    )
    assert lab.run().output == {"StopDate": "2026-01-01T00:00:00Z"}
    child = lab.engine.executions["c1"]
    assert (child.status, child.error, child.cause) == ("ABORTED", "E", "C")


def test_what_has_ended_is_stopped_without_a_change() -> None:
    lab = lab_of(
        ("s", start()), ("w", wait(90)), ("x", api("stopExecution", {"ExecutionArn": f"{ARN}child:c1"}))
    )
    assert lab.run().output == {"StopDate": "2026-01-01T00:01:00Z"}
    assert lab.engine.executions["c1"].status == "SUCCEEDED"


def test_a_failed_execution_is_redriven() -> None:
    child = machine(("w", wait(60)), ("f", {"Type": "Fail", "Error": "Bad"}))
    arn = f"{ARN}child:c1"
    lab = lab_of(
        ("s", start()),
        ("w1", wait(90)),
        ("r", api("redriveExecution", {"ExecutionArn": arn})),
        ("w2", wait(1)),
        ("d", api("describeExecution", {"ExecutionArn": arn})),
        child=child,
    )
    described = lab.run().output
    assert (described["RedriveCount"], described["RedriveDate"]) == (1, "2026-01-01T00:01:30Z")


def test_a_token_is_completed_failed_and_kept_alive_by_another_execution() -> None:
    def waits(action: str, arguments: dict[str, Any]) -> Any:
        task = api(
            "startExecution.waitForTaskToken",
            {"StateMachineArn": CHILD, "Input": {"token": "{% $states.context.Task.Token %}"}},
            HeartbeatSeconds=100,
        )
        token = {"TaskToken": "{% $states.context.Execution.Input.token %}"}
        child = machine(
            ("w1", wait(80)), ("beat", api("sendTaskHeartbeat", token)), ("w2", wait(80)),
            ("end", api(action, {**token, **arguments})),
        )  # fmt: skip
        return lab_of(("t", task), child=child).run()

    done = waits("sendTaskSuccess", {"Output": '{"a": 1}'})
    assert (done.status, done.output) == ("SUCCEEDED", {"a": 1})
    failed = waits("sendTaskFailure", {"Error": "Bad", "Cause": "why"})
    assert (failed.status, failed.error, failed.cause) == ("FAILED", "Bad", "why")


@pytest.mark.parametrize(
    "action, arguments, error",
    [
        ("startExecution", {"StateMachineArn": "{% 'gone' %}"}, "Sfn.StateMachineDoesNotExistException"),
        (
            "startExecution",
            {"StateMachineArn": CHILD, "Name": "run-1"},
            "Sfn.ExecutionAlreadyExistsException",
        ),
        ("startExecution", {"StateMachineArn": CHILD, "Input": "{"}, "Sfn.InvalidExecutionInputException"),
        ("describeExecution", {"ExecutionArn": f"{ARN}main:gone"}, "Sfn.ExecutionDoesNotExistException"),
        ("describeExecution", {"ExecutionArn": f"{ARN}child:run-1"}, "Sfn.ExecutionDoesNotExistException"),
        ("redriveExecution", {"ExecutionArn": f"{ARN}main:run-1"}, "Sfn.ExecutionNotRedrivableException"),
        ("listExecutions", {"StateMachineArn": "{% 'gone' %}"}, "Sfn.StateMachineDoesNotExistException"),
        ("sendTaskSuccess", {"TaskToken": "t", "Output": "{}"}, "Sfn.TaskDoesNotExistException"),
        ("sendTaskSuccess", {"TaskToken": "t", "Output": "{"}, "Sfn.InvalidOutputException"),
        ("sendTaskHeartbeat", {"TaskToken": "t"}, "Sfn.TaskDoesNotExistException"),
        ("sendTaskHeartbeat", "{% {'TaskToken': 7} %}", "States.Runtime"),
        ("sendTaskHeartbeat", "{% {} %}", "States.Runtime"),
    ],
)
def test_what_cannot_be_done_has_the_error_of_the_sdk(action: str, arguments: Any, error: str) -> None:
    assert lab_of(("t", api(action, arguments))).run().error == error


@pytest.mark.parametrize(
    "task, text",
    [
        (api("deleteStateMachine", {}), "the engine does not serve this action"),
        (api("stopExecution", {}), "The field 'ExecutionArn' is required but was missing"),
        (
            api("stopExecution", {"ExecutionArn": "{% 'a' %}", "Why": "x"}),
            "The field 'Why' is not supported by Step Functions",
        ),
    ],
)
def test_what_the_engine_cannot_do_is_found_before_anything_runs(task: dict[str, Any], text: str) -> None:
    with pytest.raises(DefinitionError, match=text):
        lab_of(("t", task))


def test_an_engine_that_is_not_connected_is_a_clear_error() -> None:
    task = api("listExecutions", {})
    lab = Lab({"main": machine(("t", task), ("p", passing()))}, None, {"aws-sdk:sfn:*": StepFunctionsApi()})
    with pytest.raises(UsageError, match=r"need connect\(engine\)"):
        lab.run()
