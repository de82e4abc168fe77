"""An upload starts a run, on everything that is deployed for it; and it starts it once."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stepweave.deployed import names
from stepweave.stores.layout import status_key
from stepweave.stores.run_table import DeployedRun
from tests.local_aws.e2e.deployed import ENV, Deployed, until

SAMPLE = Path(__file__).parent.parent.parent.parent / "statemachines" / "examples" / "e31_customers.csv"

pytestmark = [pytest.mark.aws, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def uploaded(deployed: Deployed) -> DeployedRun:
    """The run of one upload, ended."""
    deployed.upload("raw/customers/may.csv", SAMPLE.read_bytes())
    [run] = until(lambda: deployed.runs("churn"), lambda runs: len(runs) == 1)
    return deployed.ended("churn", run.run_id)


def test_an_upload_becomes_a_run_with_its_artifacts(deployed: Deployed, uploaded: DeployedRun) -> None:
    assert uploaded.status == "success"
    assert uploaded.params is not None
    assert uploaded.params["uri"] == f"s3://{deployed.bucket}/raw/customers/may.csv"
    found = deployed.keys(f"runs/churn/{uploaded.run_id}/")
    done = {key.split("/")[3] for key in found if key.endswith("/result.json")}
    assert done == {"load", "profile", "drift", "train", "evaluate", "model_card", "release"}
    [page] = [key for key in found if key.endswith("/output.md")]
    text = deployed.aws("s3").get_object(Bucket=deployed.bucket, Key=page)["Body"].read().decode()
    assert text.startswith("# Churn model")


def test_the_command_line_shows_the_run_as_it_shows_one_on_this_machine(
    deployed: Deployed, uploaded: DeployedRun
) -> None:
    shown = deployed.shown(uploaded.run_id)
    assert shown["status"] == "success"
    statuses = {task: one["status"] for task, one in shown["tasks"].items()}
    assert statuses == {"if": "success", "keep": "skipped"} | dict.fromkeys(
        ("load", "profile", "drift", "train", "evaluate", "model_card", "release"), "success"
    )
    listed = json.loads(deployed.stepweave("runs", "--env", ENV, "--json"))
    assert uploaded.run_id in [run["run_id"] for run in listed["runs"]]


def test_other_dags_can_see_how_the_run_ended(deployed: Deployed, uploaded: DeployedRun) -> None:
    body = deployed.aws("s3").get_object(Bucket=deployed.bucket, Key=status_key("churn", uploaded.run_id))[
        "Body"
    ]
    assert json.loads(body.read())["status"] == "success"


def test_lambda_and_batch_log_with_the_run_and_the_task(deployed: Deployed, uploaded: DeployedRun) -> None:
    for group, task in (
        (names.task_log_group(ENV, "churn"), "load"),
        (names.job_log_group(ENV, "churn"), "train"),
    ):
        events = until(
            lambda group=group: deployed.aws("logs").filter_log_events(logGroupName=group)["events"],  # type: ignore[misc]
            lambda found: bool(found),
        )
        lines = [json.loads(one["message"]) for one in events if one["message"].startswith("{")]
        mine = [line for line in lines if line.get("run") == uploaded.run_id and line.get("task") == task]
        assert mine, f"{group} has no line of {task}"


def test_the_execution_is_named_after_the_object(deployed: Deployed, uploaded: DeployedRun) -> None:
    assert re.fullmatch(r"s3-[0-9a-f]{32}", uploaded.run_id)
    assert uploaded.execution is not None
    assert uploaded.execution.endswith(f":{uploaded.run_id}")


def test_a_hundred_events_of_one_object_start_one_run(deployed: Deployed, uploaded: DeployedRun) -> None:
    head = deployed.aws("s3").put_object(
        Bucket=deployed.bucket, Key="raw/other/june.csv", Body=SAMPLE.read_bytes()
    )
    detail = {
        "bucket": {"name": deployed.bucket},
        "object": {"key": "raw/customers/june.csv", "etag": head["ETag"].strip('"'), "sequencer": "0A"},
    }
    event = {
        "source": "s3",
        "trigger": 0,
        "event": {"source": "aws.s3", "detail-type": "Object Created", "detail": detail},
    }
    deployed.upload("raw/other/unrelated.csv", b"a trigger's prefix is not this one")
    before = {run.run_id for run in deployed.runs("churn")}
    function = names.function_name(ENV, "starter", "churn")

    def tell(_: int) -> str:
        answer = deployed.aws("lambda").invoke(
            FunctionName=function, Qualifier=names.LIVE, Payload=json.dumps(event).encode()
        )
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return str(payload["status"])

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(tell, range(100)))
    assert told.count("started") == 1
    assert told.count("duplicate") == 99
    assert len({run.run_id for run in deployed.runs("churn")} - before) == 1
