from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine.place import Place
from stepweave.local_aws.states.permissions import needs_of
from tests.local_aws.states.world import ACCOUNT, REGION, Local, definition, invoke, machine_arn

PLACE = Place(account=ACCOUNT, region=REGION, role_arn=f"arn:aws:iam::{ACCOUNT}:role/main")
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
BATCH = f"arn:aws:batch:{REGION}:{ACCOUNT}"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsFor"
JOB = {"JobName": "j", "JobQueue": "gpu", "JobDefinition": f"{BATCH}:job-definition/train:3"}


def needs(resource: str, arguments: Any, target: str = "") -> list[tuple[str, str]]:
    return [(need.action, need.resource) for need in needs_of(resource, target, arguments, PLACE)]


@pytest.mark.parametrize(
    "resource, arguments, expected",
    [
        ("lambda:invoke", {"FunctionName": "f"}, FUNCTION),
        ("lambda:invoke.waitForTaskToken", {"FunctionName": f"{FUNCTION}:live"}, f"{FUNCTION}:live"),
        ("lambda:invoke", {"FunctionName": "f", "Qualifier": "7"}, f"{FUNCTION}:7"),
    ],
)
def test_a_function_is_called_by_the_arn_with_its_version(
    resource: str, arguments: dict[str, Any], expected: str
) -> None:
    assert needs(resource, arguments) == [("lambda:InvokeFunction", expected)]


def test_a_function_may_be_named_by_the_resource() -> None:
    assert needs("lambda:function", {"any": "input"}, FUNCTION) == [("lambda:InvokeFunction", FUNCTION)]


def test_a_job_that_is_waited_for_needs_more_than_one_that_is_not() -> None:
    submitting = [("batch:SubmitJob", f"{BATCH}:job-queue/gpu"), ("batch:SubmitJob", JOB["JobDefinition"])]

    assert needs("batch:submitJob", JOB) == submitting
    assert needs("batch:submitJob.sync", JOB) == [
        *submitting,
        ("batch:DescribeJobs", "*"),
        ("batch:TerminateJob", f"{BATCH}:job/any"),
        ("events:PutTargets", f"{RULE}BatchJobsRule"),
        ("events:PutRule", f"{RULE}BatchJobsRule"),
        ("events:DescribeRule", f"{RULE}BatchJobsRule"),
    ]


def test_a_nested_execution_is_of_the_machine_whatever_its_version() -> None:
    executions = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:child:any"

    found = needs("states:startExecution.sync:2", {"StateMachineArn": f"{machine_arn('child')}:live"})

    assert found == [
        ("states:StartExecution", machine_arn("child")),
        ("states:DescribeExecution", executions),
        ("states:StopExecution", executions),
        ("events:PutTargets", f"{RULE}StepFunctionsExecutionRule"),
        ("events:PutRule", f"{RULE}StepFunctionsExecutionRule"),
        ("events:DescribeRule", f"{RULE}StepFunctionsExecutionRule"),
    ]


def test_other_services_are_not_looked_at() -> None:
    assert needs("aws-sdk:s3:getObject", {"Bucket": "b"}) == needs("dynamodb:getItem", {}) == []


def test_a_call_that_is_not_allowed_is_not_made_and_fails_as_on_aws(tmp_path: Path) -> None:
    asked: list[tuple[str, str, str]] = []

    def allowed(role: str, action: str, resource: str) -> bool:
        asked.append((role, action, resource))
        return resource != "arn:aws:lambda:us-east-1:000000000000:function:secret"

    local = Local(tmp_path, allowed=allowed)
    local.functions.known |= {"open": lambda event: 1, "secret": lambda event: 2}
    caught = {
        "Catch": [
            {
                "ErrorEquals": ["Lambda.AWSLambdaException"],
                "Next": "s3",
                "Output": "{% $states.errorOutput %}",
            }
        ]
    }
    arn = local.registry.deploy(
        "main", definition(invoke("open"), invoke("secret", **caught), {"Type": "Pass"})
    )

    async def main() -> dict[str, Any]:
        return await local.ended(local.states.start(arn).arn)

    output = json.loads(local.run(main())["output"])

    assert [name for name, _, _ in local.functions.called] == ["open"]
    assert {role for role, _, _ in asked} == {"arn:aws:iam::000000000000:role/main"}
    assert "assumed-role/main/" in output["Cause"]
    assert (
        "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:secret"
        in output["Cause"]
    )
