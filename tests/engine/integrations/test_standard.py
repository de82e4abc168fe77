"""All integrations, wired for one engine."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.integrations.base import Call, Integration
from stepweave.engine.integrations.ecs_run import Container, TaskDefinition
from stepweave.engine.integrations.standard import Standard, World, standard_integrations
from stepweave.engine.jobs import JobDefinition
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError
from tests.engine.building import block, call, echo, machine
from tests.engine.integrations.aws_tasks import aws

NOTHING = JobDefinition(command=(sys.executable, "-c", "pass"))


def engine_of(standard: Standard, definition: dict[str, Any], **options: Any) -> Engine:
    machines = {"main": parse(definition, "main"), "child": parse(machine(("w", wait(5))), "child")}
    engine = Engine(machines, standard.integrations, **options)
    standard.connect(engine)
    return engine


def wait(seconds: int) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": seconds}


def test_one_machine_calls_everything() -> None:
    services = AwsServices()
    services.prepare([{"call": "sqs:createQueue", "arguments": {"QueueName": "q"}}])
    standard = standard_integrations(
        World(
            functions={"echo": echo},
            job_definitions={"job": NOTHING},
            task_definitions={"train": TaskDefinition(containers=(Container(name="main", job=NOTHING),))},
            services=services,
        )
    )
    activity = "arn:aws:states:eu-west-1:123456789012:activity:review"
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/q"
    tasks = [
        call("echo", {"n": 1}),
        {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:echo"},
        aws("batch:submitJob.sync", {"JobName": "j", "JobDefinition": "job", "JobQueue": "q"}),
        aws("ecs:runTask.sync", {"TaskDefinition": "train"}),
        aws("states:startExecution", {"StateMachineArn": "child"}),
        aws("aws-sdk:sfn:listExecutions", {"StatusFilter": "RUNNING"}),
        aws("sqs:sendMessage", {"QueueUrl": url, "MessageBody": "x"}),
        aws("aws-sdk:sqs:listQueues", {}),
        {"Type": "Task", "Resource": activity},
    ]
    branches = [block((f"t{number}", task)) for number, task in enumerate(tasks)]
    parallel = {"Type": "Parallel", "Branches": branches}

    async def main() -> Any:
        engine = engine_of(standard, machine(("p", parallel)))
        execution = engine.start("main", {"a": 1}, "run-1")
        given = await standard.activities.get_task(activity)
        assert given is not None
        engine.tokens.send_success(given["taskToken"], "reviewed")
        await engine.wait("run-1")
        await standard.close()
        return execution

    execution = asyncio.run(main())
    assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
    results = execution.output
    assert (results[0]["Payload"], results[1]) == ({"n": 1}, {"a": 1})
    assert (results[2]["Status"], results[3]["LastStatus"]) == ("SUCCEEDED", "STOPPED")
    assert "run-1" in [item["Name"] for item in results[5]["Executions"]]
    assert (results[7]["QueueUrls"], results[8]) == ([url], "reviewed")


def test_what_no_task_waits_for_is_waited_for_on_demand() -> None:
    standard = standard_integrations(World(functions={"slow": slow}))
    task = call("slow")
    task["Arguments"]["InvocationType"] = "Event"
    engine = engine_of(standard, machine(("t", task)), clock=VirtualClock())

    async def main() -> tuple[int, int]:
        await engine.run("main", None, "run-1")
        before = standard.background.running
        await standard.settle()
        return before, standard.background.running

    assert engine.clock.run(main()) == (1, 0)


async def slow(event: Any) -> None:
    await asyncio.sleep(1000)


def test_an_http_task_may_be_sent_to_a_fake_and_to_no_other_host() -> None:
    connection = {"ConnectionArn": "arn:aws:events:eu-west-1:123456789012:connection/a/b"}
    arguments = {"ApiEndpoint": "https://api.example.com/x", "Method": "GET", "Authentication": connection}
    task = aws("http:invoke", arguments)
    with pytest.raises(DefinitionError, match=r"api\.example\.com is not this machine"):
        engine_of(standard_integrations(), machine(("t", task)))
    fake = World(http_endpoints={"https://api.example.com": "http://127.0.0.1:9"})
    engine = engine_of(standard_integrations(fake), machine(("t", task)))
    assert engine.clock.run(engine.run("main")).error == "States.Http.Socket"
    allowed = World(http_hosts=["api.example.com"])
    assert engine_of(standard_integrations(allowed), machine(("t", task))) is not None


def test_named_activities_are_all_there_are() -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:eu-west-1:123456789012:activity:review"}
    assert engine_of(standard_integrations(), machine(("t", task))) is not None
    with pytest.raises(DefinitionError, match="names no activity of this engine"):
        engine_of(standard_integrations(World(activities=["approve"])), machine(("t", task)))


def test_what_is_given_besides_comes_before() -> None:
    task = aws("aws-sdk:s3:getObject", {"Bucket": "b", "Key": "k"})
    standard = standard_integrations(World(integrations={"aws-sdk:s3:*": Canned()}))
    engine = engine_of(standard, machine(("t", task)), clock=VirtualClock())
    assert engine.clock.run(engine.run("main")).output == "aws-sdk:s3:getObject"


class Canned(Integration):
    async def run(self, call: Call) -> Any:
        return call.resource
