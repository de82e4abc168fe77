"""Batch's API on the local AWS: jobs run, fail, are stopped, lose their host, and are told about."""

from __future__ import annotations

import io
import json
import time
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from stepweave.local_aws.home import Running

pytestmark = pytest.mark.aws

Client = Callable[[str], Any]
ENDED = ("SUCCEEDED", "FAILED")

MODULE = """
import os, sys, time
print("attempt", os.environ["AWS_BATCH_JOB_ATTEMPT"], "of", sys.argv[1], flush=True)
if sys.argv[1] == "slow" and os.environ["AWS_BATCH_JOB_ATTEMPT"] == "1":
    time.sleep(60)
sys.exit(7 if sys.argv[1] == "failing" else 0)
"""


@pytest.fixture(scope="module")
def definition(aws: Client) -> str:
    """A job definition whose code is a bundle, and a queue."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("job_of_a_test.py", MODULE)
    aws("s3").create_bucket(Bucket="bundles")
    aws("s3").put_object(Bucket="bundles", Key="job.zip", Body=data.getvalue())
    aws("batch").create_compute_environment(computeEnvironmentName="machine", type="UNMANAGED")
    order = [{"order": 1, "computeEnvironment": "machine"}]
    aws("batch").create_job_queue(jobQueueName="jobs", priority=1, computeEnvironmentOrder=order)
    answer = aws("batch").register_job_definition(
        jobDefinitionName="train",
        type="container",
        parameters={"kind": "plain"},
        retryStrategy={
            "attempts": 3,
            "evaluateOnExit": [
                {"onStatusReason": "Host EC2*", "action": "RETRY"},
                {"onExitCode": "*", "action": "EXIT"},
            ],
        },
        containerProperties={
            "image": "local",
            "command": ["python", "-m", "job_of_a_test", "Ref::kind"],
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
            "environment": [{"name": "STEPWEAVE_BUNDLE", "value": "s3://bundles/job.zip"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/mine/jobs"}},
        },
    )
    return str(answer["jobDefinitionArn"])


def submit(aws: Client, definition: str, kind: str, **fields: Any) -> str:
    job = aws("batch").submit_job(
        jobName=kind, jobQueue="jobs", jobDefinition=definition, parameters={"kind": kind}, **fields
    )
    return str(job["jobId"])


def described(aws: Client, job_id: str) -> dict[str, Any]:
    (job,) = aws("batch").describe_jobs(jobs=[job_id])["jobs"]
    return dict(job)


def when(aws: Client, job_id: str, *statuses: str) -> dict[str, Any]:
    end = time.monotonic() + 40
    while (job := described(aws, job_id))["status"] not in statuses:
        assert time.monotonic() < end, job
        time.sleep(0.05)
    return job


def log_of(aws: Client, job: dict[str, Any]) -> list[str]:
    stream = job["container"]["logStreamName"]
    try:
        events = aws("logs").get_log_events(logGroupName="/mine/jobs", logStreamName=stream)["events"]
    except aws("logs").exceptions.ResourceNotFoundException:
        return []  # it has not printed yet
    return [event["message"] for event in events]


def when_it_prints(aws: Client, job_id: str) -> None:
    end = time.monotonic() + 40
    while not log_of(aws, when(aws, job_id, "RUNNING")):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_job_runs_the_code_of_its_bundle(aws: Client, definition: str) -> None:
    job = when(aws, submit(aws, definition, "plain"), *ENDED)
    assert (job["status"], job["container"]["exitCode"]) == ("SUCCEEDED", 0)
    assert log_of(aws, job) == ["attempt 1 of plain"]


def test_a_failure_that_no_rule_retries_is_the_end(aws: Client, definition: str) -> None:
    job = when(aws, submit(aws, definition, "failing"), *ENDED)
    assert (job["status"], [one["container"]["exitCode"] for one in job["attempts"]]) == ("FAILED", [7])


def test_a_job_that_is_terminated_ends_for_the_reason_that_was_given(aws: Client, definition: str) -> None:
    job_id = submit(aws, definition, "slow")
    when_it_prints(aws, job_id)
    aws("batch").terminate_job(jobId=job_id, reason="not needed")
    job = when(aws, job_id, *ENDED)
    assert (job["status"], job["statusReason"], len(job["attempts"])) == ("FAILED", "not needed", 1)


def test_a_job_whose_host_is_taken_away_runs_again(aws: Client, definition: str, local_aws: Running) -> None:
    job_id = submit(aws, definition, "slow")
    when_it_prints(aws, job_id)
    signed = "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/batch/aws4_request"
    request = urllib.request.Request(
        f"{local_aws.endpoint}/v1/reclaimhost",
        data=json.dumps({"jobId": job_id}).encode(),
        headers={"Authorization": f"{signed}, SignedHeaders=host, Signature=none"},
    )
    urllib.request.urlopen(request).close()
    job = when(aws, job_id, *ENDED)
    assert job["status"] == "SUCCEEDED"
    assert [one["statusReason"].split()[0] for one in job["attempts"]] == ["Host", "Essential"]


def test_its_timeout_ends_a_job_without_another_attempt(aws: Client, definition: str) -> None:
    job_id = submit(aws, definition, "slow", timeout={"attemptDurationSeconds": 1})
    job = when(aws, job_id, *ENDED)
    assert (job["statusReason"], len(job["attempts"])) == ("Job attempt duration exceeded timeout", 1)


def test_every_change_of_status_is_an_event(aws: Client, definition: str) -> None:
    queue = aws("sqs").create_queue(QueueName="job-events")["QueueUrl"]
    pattern = {
        "source": ["aws.batch"],
        "detail-type": ["Batch Job State Change"],
        "detail": {"jobName": ["plain"]},
    }
    aws("events").put_rule(Name="job-events", EventPattern=json.dumps(pattern))
    target = {"Id": "1", "Arn": "arn:aws:sqs:us-east-1:000000000000:job-events"}
    aws("events").put_targets(Rule="job-events", Targets=[target])
    job_id = submit(aws, definition, "plain")
    expected = ["PENDING", "RUNNABLE", "RUNNING", "STARTING", "SUCCEEDED"]
    seen: list[str] = []
    end = time.monotonic() + 40
    while len(seen) < len(expected):  # a queue keeps no order
        assert time.monotonic() < end, seen
        received = aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        details = [json.loads(one["Body"])["detail"] for one in received.get("Messages", ())]
        seen += [detail["status"] for detail in details if detail["jobId"] == job_id]
    assert sorted(seen) == expected


@pytest.mark.parametrize(
    "fields, expected",
    [
        ({"jobQueue": "nowhere"}, "Job Queue nowhere does not exist"),
        ({"jobDefinition": "unknown"}, "JobDefinition unknown is not active or does not exist"),
        ({"arrayProperties": {"size": 2}}, "runs no jobs with arrayProperties"),
    ],
)
def test_what_cannot_run_is_refused(
    aws: Client, definition: str, fields: dict[str, Any], expected: str
) -> None:
    request = {"jobName": "x", "jobQueue": "jobs", "jobDefinition": definition, **fields}
    with pytest.raises(aws("batch").exceptions.ClientException, match=expected):
        aws("batch").submit_job(**request)


def test_a_queue_with_a_scheduling_policy_wants_a_share_identifier_and_no_other_does(
    aws: Client, definition: str
) -> None:
    policy = aws("batch").create_scheduling_policy(name="fair", fairsharePolicy={"shareDecaySeconds": 60})
    aws("batch").create_job_queue(
        jobQueueName="fair",
        priority=1,
        schedulingPolicyArn=policy["arn"],
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": "machine"}],
    )
    request = {"jobName": "plain", "jobQueue": "fair", "jobDefinition": definition}
    shared = aws("batch").submit_job(**request, shareIdentifier="churn")["jobId"]
    assert when(aws, shared, *ENDED)["shareIdentifier"] == "churn"
    for wrong in (request, {**request, "jobQueue": "jobs", "shareIdentifier": "churn"}):
        with pytest.raises(
            aws("batch").exceptions.ClientException, match="shareIdentifier must be specified"
        ):
            aws("batch").submit_job(**wrong)


def test_a_revision_that_was_deregistered_takes_no_jobs(aws: Client, definition: str) -> None:
    container = {"image": "local", "command": ["true"]}
    register = aws("batch").register_job_definition
    first = register(jobDefinitionName="short", type="container", containerProperties=container)
    second = register(jobDefinitionName="short", type="container", containerProperties=container)
    aws("batch").deregister_job_definition(jobDefinition=first["jobDefinitionArn"])
    job = aws("batch").submit_job(jobName="x", jobQueue="jobs", jobDefinition="short")
    assert described(aws, job["jobId"])["jobDefinition"] == second["jobDefinitionArn"]
    with pytest.raises(aws("batch").exceptions.ClientException, match="is not active"):
        aws("batch").submit_job(jobName="x", jobQueue="jobs", jobDefinition=first["jobDefinitionArn"])
