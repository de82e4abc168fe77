from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from stepweave.local_aws.states.calls import lower_camel, pascal
from tests.local_aws.states.world import Local, Refused, definition, invoke

SUBMIT = {
    "Type": "Task",
    "Resource": "arn:aws:states:::batch:submitJob.sync",
    "Arguments": {
        "JobName": "train",
        "JobQueue": "gpu",
        "JobDefinition": "train:3",
        "Parameters": {"epochs": 3},
        "ContainerOverrides": {"Environment": [{"Name": "STEPWEAVE_INPUT", "Value": "runs/x"}]},
    },
}


def run(local: Local, *states: dict[str, Any], text: str = "{}") -> dict[str, Any]:
    arn = local.registry.deploy("main", definition(*states))

    async def main() -> dict[str, Any]:
        return await local.ended(local.states.start(arn, text, "one").arn)

    answer: dict[str, Any] = local.run(main())
    return answer


def test_a_function_is_called_with_its_payload_and_answers(tmp_path: Path) -> None:
    local = Local(tmp_path)
    local.functions.known["arn:aws:lambda:us-east-1:000000000000:function:f:7"] = lambda event: event["n"] * 2

    answer = run(local, invoke("arn:aws:lambda:us-east-1:000000000000:function:f:7"), text='{"n": 21}')

    assert answer["output"] == "42"
    assert local.functions.called[0][1] == {"n": 21}


def test_the_error_of_a_function_is_that_of_its_class(tmp_path: Path) -> None:
    local = Local(tmp_path)

    def broken(event: Any) -> None:
        raise LookupError("nothing there")

    local.functions.known["f"] = broken
    retried = [{"ErrorEquals": ["LookupError"], "MaxAttempts": 2, "IntervalSeconds": 1}]

    answer = run(local, invoke("f", Retry=retried))

    assert (answer["status"], answer["error"]) == ("FAILED", "LookupError")
    assert json.loads(answer["cause"])["errorMessage"] == "nothing there"
    assert len(local.functions.called) == 3


def test_what_lambda_refuses_has_the_name_that_step_functions_gives_it(tmp_path: Path) -> None:
    answer = run(Local(tmp_path), invoke("missing"))

    assert (answer["error"], answer["cause"]) == (
        "Lambda.ResourceNotFoundException",
        "Function not found: missing",
    )


def test_an_event_is_handed_over_and_not_waited_for(tmp_path: Path) -> None:
    local = Local(tmp_path)
    state = {**invoke("f"), "Output": "{% $states.result.StatusCode %}"}
    state["Arguments"] = {
        "FunctionName": "f",
        "InvocationType": "Event",
        "Qualifier": "live",
        "Payload": {"a": 1},
    }

    assert run(local, state)["output"] == "202"
    assert local.functions.called == [("f", {"a": 1}, "live")]


def test_a_function_named_by_its_own_arn_gets_the_input(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    local.functions.known[arn] = lambda event: [event]

    assert run(local, {"Type": "Task", "Resource": arn}, text="5")["output"] == "[5]"


def test_a_job_is_waited_for_and_its_detail_is_the_result(tmp_path: Path) -> None:
    local = Local(tmp_path)
    local.jobs.on_wait = lambda job: local.jobs.end(job, container={"exitCode": 0, "environment": []})

    answer = run(local, SUBMIT)

    assert json.loads(answer["output"]) == {
        "JobId": "job-1",
        "JobArn": "arn:job/job-1",
        "JobName": "job",
        "Status": "SUCCEEDED",
        "Container": {"ExitCode": 0, "Environment": []},
    }
    (request,) = local.jobs.submitted
    assert request["parameters"] == {"epochs": "3"}
    assert request["containerOverrides"] == {"environment": [{"name": "STEPWEAVE_INPUT", "value": "runs/x"}]}
    assert local.jobs.terminated == []


def test_a_failed_job_fails_its_state_with_the_detail(tmp_path: Path) -> None:
    local = Local(tmp_path)
    local.jobs.on_wait = lambda job: local.jobs.end(job, "FAILED", statusReason="Host EC2 terminated")

    answer = run(local, SUBMIT)

    assert answer["error"] == "States.TaskFailed"
    assert json.loads(answer["cause"])["StatusReason"] == "Host EC2 terminated"


def test_a_refused_job_is_an_error_of_batch(tmp_path: Path) -> None:
    local = Local(tmp_path)
    local.jobs.refusal = Refused("ClientException", "no such queue")

    assert run(local, SUBMIT)["error"] == "Batch.ClientException"


def test_a_job_dies_with_its_execution(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", definition(SUBMIT))

    async def main() -> None:
        entry = local.states.start(arn, name="one")
        while not local.jobs.waiting:
            await asyncio.sleep(0)
        await local.ask("StopExecution", executionArn=entry.arn)
        while not local.jobs.terminated:
            await asyncio.sleep(0)

    local.run(main())

    assert local.jobs.terminated == [("job-1", "Terminated by Step Functions")]


def test_a_job_dies_with_its_time_limit(tmp_path: Path) -> None:
    local = Local(tmp_path, speed=1.0)

    answer = run(local, {**SUBMIT, "TimeoutSeconds": 1})

    assert (answer["status"], answer["error"]) == ("FAILED", "States.Timeout")
    assert [job for job, _ in local.jobs.terminated] == ["job-1"]


def test_the_time_limit_of_what_really_runs_does_not_pass_faster(tmp_path: Path) -> None:
    local = Local(tmp_path, speed=10_000.0)
    local.jobs.on_wait = lambda job: asyncio.get_running_loop().call_later(3000, local.jobs.end, job) and None

    answer = run(local, {**SUBMIT, "TimeoutSeconds": 5})

    assert answer["status"] == "SUCCEEDED"


def test_a_clock_that_is_moved_ends_nothing_that_really_runs(tmp_path: Path) -> None:
    local = Local(tmp_path, speed=1.0)
    arn = local.registry.deploy("main", definition({**SUBMIT, "TimeoutSeconds": 60}))

    async def main() -> dict[str, Any]:
        entry = local.states.start(arn)
        while not local.jobs.waiting:
            await asyncio.sleep(0)
        local.clock.set(now=local.clock.now() + 3600)
        await asyncio.sleep(0.2)
        local.jobs.end("job-1")
        return await local.ended(entry.arn)

    assert local.run(main())["status"] == "SUCCEEDED"


def test_the_time_limit_of_a_token_passes_by_the_clock(tmp_path: Path) -> None:
    local = Local(tmp_path, speed=100_000.0)
    local.functions.known["f"] = lambda event: None
    state = invoke("f", {"token": "{% $states.context.Task.Token %}"}, TimeoutSeconds=86_400)
    state["Resource"] += ".waitForTaskToken"

    assert run(local, state)["error"] == "States.Timeout"


def test_a_token_that_comes_back_ends_its_task(tmp_path: Path) -> None:
    local = Local(tmp_path)
    local.functions.known["f"] = lambda event: None
    state = {**invoke("f", {"token": "{% $states.context.Task.Token %}"}), "Output": "{% $states.result %}"}
    state["Resource"] += ".waitForTaskToken"
    arn = local.registry.deploy("main", definition(state))

    async def main() -> dict[str, Any]:
        arns = [local.states.start(arn, name=name).arn for name in ("one", "two")]
        while len(local.functions.called) < 2:
            await asyncio.sleep(0.01)
        tokens = [event["token"] for _, event, _ in local.functions.called]
        assert len(set(tokens)) == 2
        await local.ask("SendTaskHeartbeat", taskToken=tokens[0])
        await local.ask("SendTaskSuccess", taskToken=tokens[0], output='{"ok": true}')
        await local.ask("SendTaskFailure", taskToken=tokens[1], error="No", cause="why")
        answers = [await local.ended(each) for each in arns]
        return {answer["status"]: answer.get("output", answer.get("error")) for answer in answers}

    assert local.run(main()) == {"SUCCEEDED": '{"ok":true}', "FAILED": "No"}


def test_a_worker_takes_the_task_of_an_activity(tmp_path: Path) -> None:
    local = Local(tmp_path)
    activity = "arn:aws:states:us-east-1:000000000000:activity:label"
    arn = local.registry.deploy("main", definition({"Type": "Task", "Resource": activity}))

    async def main() -> dict[str, Any]:
        entry = local.states.start(arn, '{"i": 1}')
        task = await local.activities.get_task(activity, "worker")
        assert task is not None
        assert json.loads(task["input"]) == {"i": 1}
        await local.ask("SendTaskSuccess", taskToken=task["taskToken"], output="2")
        return await local.ended(entry.arn)

    assert local.run(main())["output"] == "2"


def test_a_nested_execution_gives_its_output_as_data(tmp_path: Path) -> None:
    local = Local(tmp_path)
    child = local.registry.deploy("child", definition({"Type": "Pass", "Output": {"v": 1}}))
    version = local.registry.publish("child")
    start = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2"}

    answer = run(local, {**start, "Arguments": {"StateMachineArn": version, "Name": "c", "Input": {"a": 1}}})

    result = json.loads(answer["output"])
    assert (result["Output"], result["Input"], result["Status"]) == ({"v": 1}, {"a": 1}, "SUCCEEDED")
    assert result["StateMachineVersionArn"] == f"{child}:1"


def test_a_nested_execution_that_fails_fails_its_state(tmp_path: Path) -> None:
    local = Local(tmp_path)
    child = local.registry.deploy("child", definition({"Type": "Fail", "Error": "Inner", "Cause": "why"}))
    start = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2"}

    answer = run(local, {**start, "Arguments": {"StateMachineArn": child}})

    assert answer["error"] == "States.TaskFailed"
    assert json.loads(answer["cause"])["Error"] == "Inner"


@pytest.mark.parametrize(
    "arguments, error",
    [
        ({"StateMachineArn": "arn:none"}, "StepFunctions.StateMachineDoesNotExistException"),
        ({"StateMachineArn": "main", "Name": 5}, "States.Runtime"),
    ],
)
def test_a_nested_execution_that_cannot_start_fails_its_state(
    tmp_path: Path, arguments: dict[str, Any], error: str
) -> None:
    start = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution"}

    assert run(Local(tmp_path), {**start, "Arguments": arguments})["error"] == error


def test_names_of_members_change_and_those_of_users_do_not() -> None:
    wire = {"jobName": "a", "tags": {"team": "ml"}, "container": {"environment": [{"name": "K"}]}}

    assert pascal(wire) == {
        "JobName": "a",
        "Tags": {"team": "ml"},
        "Container": {"Environment": [{"Name": "K"}]},
    }
    assert lower_camel(pascal(wire)) == wire
