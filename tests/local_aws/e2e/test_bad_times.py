"""Processes that die, hang or answer twice lose nothing; a run that fails is told of, mended and resumed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stepweave.deployed import names
from tests.local_aws.e2e.deployed import ENV, Deployed, until

pytestmark = [pytest.mark.aws, pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_function_that_dies_one_that_hangs_and_jobs_that_die_are_tried_again(deployed: Deployed) -> None:
    run_id = deployed.started("troubled")
    assert deployed.ended("troubled", run_id).status == "success"
    shown = deployed.shown(run_id)["tasks"]
    assert shown["collect"]["value"] == [
        *["attempt 1"] * 3,
        f"{names.queue_name(ENV, 'fargate')}: attempt 1",
    ]
    assert {task: one["attempts"] for task, one in shown.items() if task != "collect"} == {
        "dies": 2,
        "hangs": 2,
        "crunch": 2,
        "aside": 2,
    }


def test_a_function_that_is_called_twice_commits_once(deployed: Deployed) -> None:
    event = {
        "task": "good",
        "call": "statemachines.troubles:good",
        "run": {"dag": "failing", "id": "twice", "execution": "twice", "params": {}, "resume": False},
        "attempt": 0,
        "args": "{}",
        "inline": 4096,
    }

    def call(_: int) -> Any:
        answer = deployed.aws("lambda").invoke(
            FunctionName=runner(deployed, "failing"), Payload=json.dumps(event).encode()
        )
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(call, range(8)))
    assert answers == [{"status": "success", "value": '"kept"'}] * 8
    assert deployed.keys("runs/failing/twice/good/") == ["runs/failing/twice/good/result.json"]


def runner(deployed: Deployed, dag: str) -> str:
    """The function that runs the tasks of a DAG."""
    wanted = names.function_name(ENV, "", dag).rstrip("-")
    pages = deployed.aws("lambda").get_paginator("list_functions").paginate()
    listed = [one["FunctionName"] for page in pages for one in page["Functions"]]
    [found] = [name for name in listed if name.startswith(f"{wanted}--") and "task" in name]
    return str(found)


def test_a_run_that_fails_is_recorded_told_of_and_counted(deployed: Deployed) -> None:
    queue = listening(deployed, "warn")
    run_id = deployed.started("failing")
    run = deployed.ended("failing", run_id)
    assert run.status == "failed"
    assert run.failed == {"bad"}
    message = until(lambda: received(deployed, queue), bool)[0]
    assert run_id in message
    assert "bad" in message
    shown = deployed.shown(run_id)["tasks"]
    assert {task: one["status"] for task, one in shown.items()} == {
        "good": "success",
        "bad": "failed",
        "join": "upstream_failed",
    }
    said = deployed.stepweave("logs", run_id, "bad", "--env", ENV)
    assert "line 3 has four columns" in said


def test_a_failed_run_goes_on_with_mended_code_and_what_had_succeeded(deployed: Deployed) -> None:
    run_id = deployed.started("mendable")
    assert deployed.ended("mendable", run_id).status == "failed"
    before = committed(deployed, run_id, "good")
    source = deployed.root / "statemachines" / "mendable.py"
    source.write_text(source.read_text().replace("wanted = False", "wanted = True"))
    deployed.deploy("mendable")
    deployed.stepweave("resume", run_id, "--env", ENV)
    run = until(lambda: deployed.run("mendable", run_id), lambda one: one.status == "success")
    assert run.attempt == 2
    assert committed(deployed, run_id, "good") == before
    assert deployed.values(run_id)["join"] == "kept and mended"


def committed(deployed: Deployed, run_id: str, task: str) -> bytes:
    """The envelope of a task's result."""
    key = f"runs/mendable/{run_id}/{task}/result.json"
    return bytes(deployed.aws("s3").get_object(Bucket=deployed.bucket, Key=key)["Body"].read())


def listening(deployed: Deployed, topic: str) -> str:
    """A queue that gets what is told on a topic."""
    sqs = deployed.aws("sqs")
    url = str(sqs.create_queue(QueueName=f"heard-{topic}")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    deployed.aws("sns").subscribe(
        TopicArn=deployed.environment.platform.topics[topic], Protocol="sqs", Endpoint=arn
    )
    return url


def received(deployed: Deployed, queue: str) -> list[str]:
    """What was told since."""
    answer = deployed.aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [one["Body"] for one in answer.get("Messages", [])]
