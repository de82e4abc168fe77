"""AWS services behind an endpoint: moto's server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.aws_sdk import aws_integrations
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.parsing import parse
from tests.engine.building import block, machine
from tests.engine.integrations.aws_tasks import aws

pytestmark = pytest.mark.aws


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def ran(services: AwsServices, task: dict[str, Any]) -> Execution:
    engine = Engine({"main": parse(machine(("t", task)), "main")}, aws_integrations(services))
    return engine.clock.run(engine.run("main", None, "run-1"))


def test_calls_go_to_the_endpoint_side_by_side(endpoint: str) -> None:
    services = AwsServices(endpoint=endpoint)
    (queue,) = services.prepare([{"call": "sqs:createQueue", "arguments": {"QueueName": "q"}}])
    url = queue["QueueUrl"]
    branches = [
        block((f"t{number}", aws("sqs:sendMessage", {"QueueUrl": url, "MessageBody": {"n": number}})))
        for number in range(3)
    ]
    execution = ran(services, {"Type": "Parallel", "Branches": branches})
    assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
    attributes = services.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "3"


def test_an_error_behind_the_endpoint_has_its_name(endpoint: str) -> None:
    task = aws("dynamodb:getItem", {"TableName": "gone", "Key": {"id": {"S": "1"}}})
    assert ran(AwsServices(endpoint=endpoint), task).error == "DynamoDB.ResourceNotFoundException"


@pytest.mark.parametrize(
    "resource, error",
    [("sqs:sendMessage", "SQS.SdkClientException"), ("aws-sdk:sqs:sendMessage", "Sqs.SdkClientException")],
)
def test_an_endpoint_that_is_not_there_is_a_client_error(
    resource: str, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    nobody = "http://127.0.0.1:9"  # the discard port, on which nothing listens
    task = aws(resource, {"QueueUrl": f"{nobody}/123456789012/q", "MessageBody": "x"})
    execution = ran(AwsServices(endpoint=nobody), task)
    assert execution.error == error
    assert (execution.cause or "").startswith("Unable to execute HTTP request: ")
