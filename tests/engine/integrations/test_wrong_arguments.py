"""Whatever arguments a task computes, it succeeds or fails; the engine never breaks."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.integrations.ecs_run import Container, TaskDefinition
from stepweave.engine.integrations.standard import World, standard_integrations
from stepweave.engine.jobs import JobDefinition
from stepweave.engine.parsing import parse
from tests.engine.building import echo, machine
from tests.engine.integrations.aws_tasks import aws

NOTHING = JobDefinition(command=(sys.executable, "-c", "pass"))
WORLD = World(
    functions={"echo": echo},
    job_definitions={"job": NOTHING},
    task_definitions={"task": TaskDefinition(containers=(Container(name="main", job=NOTHING),))},
    services=AwsServices(),
)

LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.sampled_from(
    ["echo", "child", "GET", "Event", "http://127.0.0.1:9/", "{}", "[", "arn:aws:states:::x"]
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["id", "S", "Name", "Detail", "Source", "Resources"]), inner, max_size=2
        )
    ),
    max_leaves=5,
)
START = ("StateMachineArn", "Input", "Name")
RESOURCES = {
    "lambda:invoke": ("FunctionName", "Payload", "InvocationType", "Qualifier"),
    "states:startExecution": START,
    "states:startExecution.sync:2": START,
    "aws-sdk:sfn:startExecution": START,
    "aws-sdk:sfn:describeExecution": ("ExecutionArn",),
    "aws-sdk:sfn:listExecutions": ("StateMachineArn", "StatusFilter", "MaxResults"),
    "aws-sdk:sfn:sendTaskSuccess": ("TaskToken", "Output"),
    "aws-sdk:sfn:sendTaskFailure": ("TaskToken", "Error", "Cause"),
    "dynamodb:putItem": ("TableName", "Item"),
    "aws-sdk:dynamodb:getItem": ("TableName", "Key"),
    "sqs:sendMessage": ("QueueUrl", "MessageBody", "DelaySeconds"),
    "sns:publish": ("TopicArn", "Message"),
    "events:putEvents": ("Entries",),
    "http:invoke": ("ApiEndpoint", "Method", "Headers", "QueryParameters", "RequestBody", "Transform"),
}
SPECIAL = {
    "FunctionName": st.just("echo"),
    "StateMachineArn": st.just("child"),
    "Method": st.sampled_from(["GET", "POST"]),
    "ApiEndpoint": st.just("http://127.0.0.1:9/"),
}


def arguments_of(resource: str) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments with the names that the service knows, and values of the right and of the wrong kind."""
    fields = {name: SPECIAL.get(name, VALUES) | VALUES for name in RESOURCES[resource]}
    return st.fixed_dictionaries({}, optional=fields) | st.fixed_dictionaries(fields)


def ran(resource: str, arguments: Any) -> str:
    """The status of a machine of one task with computed arguments."""
    machines = {
        "main": parse(machine(("t", aws(resource, "{% $states.input %}"))), "main"),
        "child": parse(machine(("p", {"Type": "Pass"})), "child"),
    }
    standard = standard_integrations(WORLD)
    clock = None if resource.startswith(("http", "batch", "ecs")) else VirtualClock()
    engine = Engine(machines, standard.integrations, clock=clock)
    standard.connect(engine)
    return engine.clock.run(engine.run("main", arguments, "run-1")).status


@pytest.mark.parametrize("resource", RESOURCES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_task_with_any_arguments_ends(resource: str, data: st.DataObject) -> None:
    assert ran(resource, data.draw(arguments_of(resource))) in ("SUCCEEDED", "FAILED")


OVERRIDES = st.dictionaries(
    st.sampled_from(
        ["Command", "Environment", "ResourceRequirements", "ContainerOverrides", "Name", "Memory", "Attempts"]
    ),
    VALUES | st.lists(st.fixed_dictionaries({"Name": LEAVES, "Value": LEAVES, "Type": LEAVES}), max_size=1),
    max_size=3,
)


@pytest.mark.parametrize("resource", ["batch:submitJob.sync", "ecs:runTask.sync"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    more=st.dictionaries(
        st.sampled_from(
            [
                "JobName",
                "Parameters",
                "ContainerOverrides",
                "Overrides",
                "RetryStrategy",
                "Tags",
                "Cluster",
                "Group",
            ]
        ),
        OVERRIDES | LEAVES,
        max_size=3,
    )
)
def test_a_job_with_any_overrides_ends(resource: str, more: dict[str, Any]) -> None:
    arguments = {"JobDefinition": "job", "TaskDefinition": "task", **more}
    assert ran(resource, arguments) in ("SUCCEEDED", "FAILED")
