"""Tasks: what they may call, and what a call needs.

That calls need arguments, which arguments, and which patterns a service has was measured on Step Functions by
cdk-preflight (https://github.com/badmintoncryer/cdk-preflight, rules/stepfunctions, 2026-09-05) and by sfnx
(https://github.com/iwamot/sfnx/blob/main/docs/design.md).
"""

from typing import Any

import pytest

from stepweave.validation.definition import validate
from stepweave.validation.resources import Resource, resource_of
from tests.validation.definitions import LAMBDA, distributed, found, machine, of_state, rejected, task

ACTIVITY = "arn:aws:states:eu-west-1:123456789012:activity:press"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:f:1"
ROLE = {"RoleArn": "arn:aws:iam::123456789012:role/other"}
ANYTHING = "{% $states.input %}"
"""Arguments of which nothing is known before the machine runs."""


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:states:::lambda:invoke",
        "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "arn:aws:states:::batch:submitJob.sync",
        "arn:aws-cn:states:::ecs:runTask.sync",
        "arn:aws:states:::ecs:runTask.waitForTaskToken",
        "arn:aws:states:::states:startExecution.sync",
        "arn:aws:states:::states:startExecution.sync:2",
        "arn:aws:states:::dynamodb:getItem",
        "arn:aws:states:::http:invoke",
        "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
        "arn:aws:states:::aws-sdk:s3:getObject",
        ACTIVITY,
        FUNCTION,
        "arn:${Partition}:states:::lambda:invoke",
        "${TaskRunner}",
    ],
)
def test_integrations_functions_activities_and_substitutions_can_be_called(resource: str) -> None:
    assert of_state(task(resource, ANYTHING)) == []


@pytest.mark.parametrize(
    "resource,got",
    [
        ("lambda", "no resource"),
        ("{% $resource %}", "no resource"),
        ("arn:aws:states:::lambda", "no resource"),
        ("arn:aws:states:::", "no resource"),
        ("arn:aws:states:eu-west-1:123456789012:activity:", "no resource"),
        ("arn:aws:lambda:eu-west-1:123456789012:layer:f", "no resource"),
        ("arn:aws:sns:eu-west-1:123456789012:topic", "no resource"),
        ("arn:aws:states:::lambda:invoke.sync", "no .sync"),
        ("arn:aws:states:::sns:publish.sync", "no .sync"),
        ("arn:aws:states:::batch:submitJob.waitForTaskToken", "no .waitForTaskToken"),
        ("arn:aws:states:::dynamodb:putItem.waitForTaskToken", "no .waitForTaskToken"),
        ("arn:aws:states:::glue:startJobRun.sync:2", "no .sync:2"),
        ("arn:aws:states:::athena:getQueryResults.sync", "no .sync"),
        ("arn:aws:states:::aws-sdk:s3:getObject.sync", "no .sync"),
        ("arn:aws:states:::aws-sdk:s3:GetObject", "upper case"),
        ("arn:aws:states:::aws-sdk:s3", "no action"),
    ],
)
def test_other_resources_are_refused(resource: str, got: str) -> None:
    (problem,) = validate(machine(task(resource, ANYTHING)))
    assert (problem.code, problem.state, problem.got) == ("resource", "a", resource)
    assert got in problem.what


@pytest.mark.parametrize(
    "resource,expected",
    [("arn:aws:states:::lamda:invoke", "lambda"), ("arn:aws:states:::batch:submitJobs", "submitJob")],
)
def test_an_integration_that_is_not_known_here_is_advice_as_aws_may_have_added_it(
    resource: str, expected: str
) -> None:
    definition = machine(task(resource, ANYTHING))
    (problem,) = validate(definition)
    assert problem.code == "unknown-integration"
    assert expected in str(problem.expected)
    assert rejected(definition) == ()


@pytest.mark.parametrize(
    "text,parts",
    [
        ("arn:aws:states:::a:b.sync:2", Resource("a:b", ".sync:2")),
        ("arn:aws:states:eu-west-1:1:aws-sdk:s3:getObject", Resource("aws-sdk:s3:getObject")),
        (ACTIVITY, Resource("activity", target=ACTIVITY)),
        (FUNCTION, Resource("lambda:function", target=FUNCTION)),
        ("${F}", Resource("${F}")),
        ("", None),
        ("arn", None),
    ],
)
def test_a_resource_falls_into_its_parts(text: str, parts: Resource | None) -> None:
    assert resource_of(text) == parts


def test_every_integration_needs_arguments_and_nothing_else_does() -> None:
    def without(resource: str) -> list[str]:
        return of_state({"Type": "Task", "Resource": resource})

    assert without("arn:aws:states:::aws-sdk:s3:listBuckets") == ["missing-field"]
    assert without("arn:aws:states:::lambda:invoke") == ["missing-field"]
    assert without(ACTIVITY) == without(FUNCTION) == without("${Run}") == []
    assert of_state(task("arn:aws:states:::aws-sdk:s3:listBuckets", {})) == []


@pytest.mark.parametrize(
    "call,arguments,missing",
    [
        ("lambda:invoke", {"Payload": {}}, "FunctionName"),
        ("lambda:invoke.waitForTaskToken", {"Payload": {}}, "FunctionName"),
        ("sqs:sendMessage", {"MessageBody": "x"}, "QueueUrl"),
        ("sns:publish", {"TopicArn": "t"}, "Message"),
        ("dynamodb:getItem", {"TableName": "t"}, "Key"),
        ("dynamodb:putItem", {"Item": {}}, "TableName"),
        ("states:startExecution.sync:2", {"Input": {}}, "StateMachineArn"),
        ("events:putEvents", {}, "Entries"),
        ("http:invoke", {"ApiEndpoint": "https://x", "Authentication": {}}, "Method"),
        ("http:invoke", {"ApiEndpoint": "https://x", "Method": "GET"}, "Authentication.ConnectionArn"),
    ],
)
def test_an_argument_that_a_call_cannot_do_without_is_named(
    call: str, arguments: dict[str, Any], missing: str
) -> None:
    (problem,) = validate(machine(task(f"arn:aws:states:::{call}", arguments)))
    assert (problem.code, problem.state, problem.expected) == ("missing-argument", "a", missing)
    assert of_state(task(f"arn:aws:states:::{call}", ANYTHING)) == []


@pytest.mark.parametrize("payload", [{}, [], "x", None, "{% 1 %}"])
def test_a_function_takes_objects_arrays_text_and_null(payload: Any) -> None:
    assert of_state(task(arguments={"FunctionName": "f", "Payload": payload})) == []


@pytest.mark.parametrize("payload", [1, 1.5, True])
def test_a_function_takes_no_bare_number_or_truth_value(payload: Any) -> None:
    assert of_state(task(arguments={"FunctionName": "f", "Payload": payload})) == ["field-type"]


def test_credentials_are_a_role_and_not_for_activities() -> None:
    assert of_state(task(Credentials=ROLE)) == of_state(task(Credentials="{% $states.input.role %}")) == []
    assert of_state(task(Credentials={})) == ["missing-field"]
    assert of_state(task(Credentials={**ROLE, "Region": "x"})) == ["unknown-field"]
    assert of_state(task(ACTIVITY, {}, Credentials=ROLE)) == ["credentials"]


@pytest.mark.parametrize("seconds", [1, 99_999_999, "{% 5 %}"])
def test_times_of_a_task_are_whole_seconds_or_expressions(seconds: Any) -> None:
    assert of_state(task(TimeoutSeconds=seconds)) == []


@pytest.mark.parametrize("seconds", [0, -1, 1.5, True, "5", 100_000_000])
def test_other_times_are_refused(seconds: Any) -> None:
    assert of_state(task(TimeoutSeconds=seconds)) == ["field-type"]
    assert of_state(task(HeartbeatSeconds=seconds)) == ["field-type"]


def test_a_heartbeat_is_shorter_than_the_timeout() -> None:
    assert of_state(task(TimeoutSeconds=10, HeartbeatSeconds=9)) == []
    assert of_state(task(TimeoutSeconds="{% 5 %}", HeartbeatSeconds=9)) == []
    assert of_state(task(TimeoutSeconds=10, HeartbeatSeconds=10)) == ["heartbeat"]


@pytest.mark.parametrize(
    "resource", ["arn:aws:states:::batch:submitJob.sync", f"{LAMBDA}.waitForTaskToken", ACTIVITY]
)
def test_an_express_execution_cannot_wait_for_jobs_tokens_or_workers(resource: str) -> None:
    branch = {"StartAt": "t", "States": {"t": {**task(resource, ANYTHING), "End": True}}}
    inner = {"StartAt": "p", "States": {"p": {"Type": "Parallel", "Branches": [branch], "End": True}}}
    assert found(machine(distributed("EXPRESS", inner))) == [("express", "a[*]/p[0]/t")]
    assert found(machine(distributed("STANDARD", inner))) == []
