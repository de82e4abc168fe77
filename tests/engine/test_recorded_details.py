"""What the details of events say, field by field.

The facts are from executions that others ran on AWS and recorded: the snapshots of localstack
(https://github.com/localstack/localstack, tests/aws/services/stepfunctions, 2023 to 2026) and floci
(https://github.com/floci-io/floci/tree/main/src/test/java/io/github/hectorvent/floci/services/stepfunctions, nested
executions, ap-northeast-1, 2026). The machines are our own.
"""

import json
from typing import Any

import pytest

from stepweave.engine.integrations.base import Call, Integration
from tests.engine.building import LAMBDA, Lab, block, call, echo, machine, passing, run
from tests.engine.recording import details, steps

NOT_TRUNCATED = {"truncated": False}
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:echo"


def test_entering_and_leaving_a_state_tells_its_name_and_values() -> None:
    execution = run(machine(("s", passing(Output=[1], Assign={"v": {"w": 2}}))), {"in": 1})
    assert details(execution, "PassStateEntered") == {
        "name": "s",
        "input": '{"in":1}',
        "inputDetails": NOT_TRUNCATED,
    }
    assert details(execution, "PassStateExited") == {
        "name": "s",
        "output": "[1]",
        "outputDetails": NOT_TRUNCATED,
        "assignedVariables": {"v": '{"w":2}'},
        "assignedVariablesDetails": NOT_TRUNCATED,
    }


def test_variables_are_told_by_the_state_that_assigns_them_only() -> None:
    execution = run(machine(("a", passing(Assign={"v": 1})), ("b", passing())))
    assert "assignedVariables" not in (details(execution, "PassStateExited", 1) or {})


def test_what_a_catcher_assigns_is_told_by_the_exit_of_the_state() -> None:
    async def bad(event: Any) -> Any:
        raise ValueError("no")

    catch = [
        {"ErrorEquals": ["ValueError"], "Assign": {"why": "{% $states.errorOutput.Error %}"}, "Next": "end"}
    ]
    execution = run(machine(("t", call("bad", Catch=catch)), ("end", passing())), bad=bad)
    assert (details(execution, "TaskStateExited") or {})["assignedVariables"] == {"why": '"ValueError"'}


def test_a_task_tells_its_service_its_action_and_its_limits_as_whole_numbers() -> None:
    task = call("echo", {"a": 1}, TimeoutSeconds=9, HeartbeatSeconds="{% 3 %}")
    execution = run(machine(("t", task)), echo=echo)
    scheduled = details(execution, "TaskScheduled") or {}
    assert json.loads(scheduled.pop("parameters")) == {"FunctionName": "echo", "Payload": {"a": 1}}
    assert scheduled.pop("region")
    assert scheduled == {
        "resourceType": "lambda",
        "resource": "invoke",
        "timeoutInSeconds": 9,
        "heartbeatInSeconds": 3,
    }
    assert isinstance(scheduled["timeoutInSeconds"], int)
    assert isinstance(scheduled["heartbeatInSeconds"], int)
    assert details(execution, "TaskStarted") == {"resourceType": "lambda", "resource": "invoke"}


def test_a_task_without_limits_tells_none() -> None:
    scheduled = details(run(machine(("t", call("echo"))), echo=echo), "TaskScheduled") or {}
    assert set(scheduled) == {"resourceType", "resource", "region", "parameters"}


def test_a_task_with_a_token_tells_the_answer_of_the_service_and_then_its_own_result() -> None:
    token = "{% $states.context.Task.Token %}"
    state = {
        "Type": "Task",
        "Resource": f"{LAMBDA}.waitForTaskToken",
        "Arguments": {"FunctionName": "send", "Payload": token},
    }

    async def send(event: str) -> None:
        lab.engine.tokens.send_success(event, {"done": True})

    lab = Lab({"main": machine(("t", state))}, {"send": send})
    execution = lab.run()
    assert steps(execution)[1:] == [
        "2<0 TaskStateEntered",
        "3<2 TaskScheduled",
        "4<3 TaskStarted",
        "5<4 TaskSubmitted",
        "6<5 TaskSucceeded",
        "7<6 TaskStateExited",
        "8<7 ExecutionSucceeded",
    ]
    submitted, succeeded = details(execution, "TaskSubmitted") or {}, details(execution, "TaskSucceeded")
    assert (submitted["resource"], submitted["outputDetails"]) == ("invoke.waitForTaskToken", NOT_TRUNCATED)
    assert succeeded == {
        "resourceType": "lambda",
        "resource": "invoke.waitForTaskToken",
        "output": '{"done":true}',
        "outputDetails": NOT_TRUNCATED,
    }


def test_a_failure_sent_with_a_token_is_told_as_it_was_sent() -> None:
    state = {
        "Type": "Task",
        "Resource": f"{LAMBDA}.waitForTaskToken",
        "Arguments": {"FunctionName": "send", "Payload": "{% $states.context.Task.Token %}"},
    }

    async def send(event: str) -> None:
        lab.engine.tokens.send_failure(event, "Mine", "because")

    lab = Lab({"main": machine(("t", state))}, {"send": send})
    execution = lab.run()
    assert steps(execution)[4:] == ["5<4 TaskSubmitted", "6<5 TaskFailed", "7<6 ExecutionFailed"]
    assert details(execution, "ExecutionFailed") == {"error": "Mine", "cause": "because"}


def test_a_nested_machine_is_submitted_and_its_failure_is_described() -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": "child", "Input": {"k": 1}},
    }
    child = machine(("f", {"Type": "Fail", "Error": "Broken", "Cause": "as told"}))
    execution = Lab({"main": machine(("t", state)), "child": child}).run()
    assert steps(execution)[2:6] == [
        "3<2 TaskScheduled",
        "4<3 TaskStarted",
        "5<4 TaskSubmitted",
        "6<5 TaskFailed",
    ]
    submitted = json.loads((details(execution, "TaskSubmitted") or {})["output"])
    assert set(submitted) == {"ExecutionArn", "StartDate"}
    assert isinstance(submitted["StartDate"], int)  # milliseconds
    failed = details(execution, "TaskFailed") or {}
    assert (failed["resourceType"], failed["resource"]) == ("states", "startExecution.sync:2")
    assert failed["error"] == "States.TaskFailed"
    cause = json.loads(failed["cause"])
    assert (cause["Error"], cause["Cause"], cause["Status"]) == ("Broken", "as told", "FAILED")


@pytest.mark.parametrize("resource", [FUNCTION, f"{FUNCTION}:live"])
def test_a_function_called_by_its_arn_has_events_of_its_own(resource: str) -> None:
    execution = run(
        machine(("t", {"Type": "Task", "Resource": resource, "TimeoutSeconds": 9})), [1], echo=echo
    )
    assert steps(execution)[1:] == [
        "2<0 TaskStateEntered",
        "3<2 LambdaFunctionScheduled",
        "4<3 LambdaFunctionStarted",
        "5<4 LambdaFunctionSucceeded",
        "6<5 TaskStateExited",
        "7<6 ExecutionSucceeded",
    ]
    assert details(execution, "LambdaFunctionScheduled") == {
        "resource": resource,
        "input": "[1]",
        "inputDetails": NOT_TRUNCATED,
        "timeoutInSeconds": 9,
    }
    assert details(execution, "LambdaFunctionStarted") is None
    assert details(execution, "LambdaFunctionSucceeded") == {"output": "[1]", "outputDetails": NOT_TRUNCATED}


def test_maps_tell_how_many_and_which_and_nothing_about_their_end() -> None:
    state = {"Type": "Map", "Items": [1, 2], "ItemProcessor": block(("each", passing())), "MaxConcurrency": 1}
    execution = run(machine(("m", state)))
    assert details(execution, "MapStateStarted") == {"length": 2}
    assert details(execution, "MapIterationStarted", 1) == {"name": "m", "index": 1}
    assert details(execution, "MapIterationSucceeded", 1) == {"name": "m", "index": 1}
    assert details(execution, "MapStateSucceeded") is None


class Buckets(Integration):
    """Answers every call alike."""

    async def run(self, call: Call) -> Any:
        return {"Buckets": []}


def test_a_call_of_the_sdk_has_its_service_in_the_type_of_its_resource() -> None:
    resource = "aws-sdk:s3:listBuckets"
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": {}}
    execution = Lab({"main": machine(("t", state))}, integrations={resource: Buckets()}).run()
    told = details(execution, "TaskSucceeded") or {}
    assert (told["resourceType"], told["resource"]) == ("aws-sdk:s3", "listBuckets")
