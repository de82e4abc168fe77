"""What goes on after the server was stopped, or killed."""

from __future__ import annotations

import io
import os
import signal
import time
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from stepweave.local_aws.home import Home, Running
from stepweave.local_aws.process import down, up

pytestmark = pytest.mark.aws


def client(running: Running, service: str) -> Any:
    session = boto3.Session("000000000000", "local", region_name="us-east-1")
    return session.client(service, endpoint_url=running.endpoint)


def eventually(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + 60
    while not (found := look()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return found


def job_on(running: Running) -> str:
    """A job that waits the first time and succeeds the second."""
    batch = client(running, "batch")
    batch.create_compute_environment(computeEnvironmentName="machine", type="UNMANAGED")
    order = [{"order": 1, "computeEnvironment": "machine"}]
    batch.create_job_queue(jobQueueName="jobs", priority=1, computeEnvironmentOrder=order)
    script = 'if [ "$AWS_BATCH_JOB_ATTEMPT" = 1 ]; then sleep 60; fi'
    batch.register_job_definition(
        jobDefinitionName="train",
        type="container",
        retryStrategy={"attempts": 2},
        containerProperties={"image": "local", "command": ["sh", "-c", script]},
    )
    job = batch.submit_job(jobName="x", jobQueue="jobs", jobDefinition="train")["jobId"]
    eventually(lambda: described(running, job)["status"] == "RUNNING")
    return str(job)


def described(running: Running, job: str) -> dict[str, Any]:
    (found,) = client(running, "batch").describe_jobs(jobs=[job])["jobs"]
    return dict(found)


def test_a_job_that_ran_has_lost_its_host_and_runs_again(home: Home) -> None:
    job = job_on(up(home, 0))
    down(home)
    running = up(home, 0)
    eventually(lambda: described(running, job)["status"] == "SUCCEEDED")
    reasons = [attempt["statusReason"] for attempt in described(running, job)["attempts"]]
    assert reasons[0].startswith("Host EC2 (instance i-")
    assert reasons[1:] == ["Essential container in task exited"]


def test_a_function_its_versions_and_its_code_are_still_there(home: Home, zipped_function: bytes) -> None:
    functions = client(up(home, 0), "lambda")
    functions.create_function(
        FunctionName="kept",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="index.handler",
        Code={"ZipFile": zipped_function},
    )
    version = functions.publish_version(FunctionName="kept")["Version"]
    functions.create_alias(FunctionName="kept", Name="live", FunctionVersion=version)
    down(home)
    again = client(up(home, 0), "lambda").invoke(FunctionName="kept", Qualifier="live", Payload=b"41")
    assert again["Payload"].read() == b"42"


def test_a_server_that_is_killed_has_saved_what_was_there_a_while_ago(home: Home) -> None:
    first = up(home, 0)
    client(first, "dynamodb").create_table(
        TableName="kept",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client(first, "dynamodb").put_item(TableName="kept", Item={"pk": {"S": "a"}})
    eventually((home.state / "services" / "dynamodb.json").exists)
    os.killpg(first.pid, signal.SIGKILL)
    eventually(lambda: not home.held())
    item = client(up(home, 0), "dynamodb").get_item(TableName="kept", Key={"pk": {"S": "a"}})
    assert item["Item"] == {"pk": {"S": "a"}}


@pytest.fixture
def zipped_function() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return event + 1\n")
    return data.getvalue()
