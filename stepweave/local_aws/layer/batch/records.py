"""The records of jobs, as DescribeJobs has them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from ministack.services import batch

from stepweave.local_aws.layer.batch.requests import container_of, parameters_of
from stepweave.local_aws.layer.batch.retrying import Ending

ENDED = ("SUCCEEDED", "FAILED")
TIMEOUT = "Job attempt duration exceeded timeout"


class BatchError(Exception):
    """A request that Batch refuses."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def new_record(request: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a job that SubmitJob asks for. Raises :class:`BatchError`."""
    definition = find_definition(str(request.get("jobDefinition", "")))
    if definition is None:
        raise BatchError(
            "ClientException", f"JobDefinition {request.get('jobDefinition')} is not active or does not exist"
        )
    queue, refused = batch._job_queue_name_from_ref(request.get("jobQueue"))
    if refused or queue not in batch._job_queues:
        raise BatchError("ClientException", f"Job Queue {request.get('jobQueue')} does not exist")
    if batch._job_queues[queue].get("state") == "DISABLED":
        raise BatchError("ClientException", f"Job Queue {queue} is disabled")
    if bool(batch._job_queues[queue].get("schedulingPolicyArn")) != bool(request.get("shareIdentifier")):
        raise BatchError(
            "ClientException",
            f"shareIdentifier must be specified where the queue has a scheduling policy, and only there; queue {queue}",
        )
    for field in ("arrayProperties", "dependsOn", "nodeOverrides"):
        if request.get(field):
            raise BatchError("ClientException", f"the local AWS runs no jobs with {field}")
    job_id = str(uuid.uuid4())
    chosen = {name: request[name] for name in ("tags", "shareIdentifier", "propagateTags") if name in request}
    return {
        "jobId": job_id,
        "jobArn": batch._job_arn(job_id),
        "jobName": str(request["jobName"]),
        "jobQueue": batch._jq_arn(queue),
        "jobDefinition": definition["jobDefinitionArn"],
        "status": "SUBMITTED",
        "createdAt": now_ms(),
        "parameters": parameters_of(definition, request),
        "attempts": [],
        "retryStrategy": request.get("retryStrategy") or definition.get("retryStrategy") or {"attempts": 1},
        "timeout": request.get("timeout") or definition.get("timeout") or {},
        "container": container_of(definition, request),
        "platformCapabilities": definition.get("platformCapabilities", ["EC2"]),
        **chosen,
    }


def find_definition(reference: str) -> dict[str, Any] | None:
    """The active job definition that a name, ``name:revision`` or ARN means: the latest where no revision is named."""
    name, _, revision = reference.split("/")[-1].partition(":")
    active = [one for one in batch._job_definitions.get(name) or () if one["status"] == "ACTIVE"]
    found: list[dict[str, Any]] = [one for one in active if not revision or str(one["revision"]) == revision]
    return found[-1] if found else None


def ending_of(attempt: Mapping[str, Any]) -> Ending:
    """How a recorded attempt ended."""
    reason = attempt["statusReason"]
    return Ending(
        exit_code=attempt["container"].get("exitCode"),
        status_reason=reason,
        reason=attempt["container"].get("reason", ""),
        final=reason == TIMEOUT,
    )


def log_of(record: Mapping[str, Any]) -> tuple[str, str]:
    """Log group and stream of the next attempt (https://docs.aws.amazon.com/batch/latest/userguide/using_awslogs.html)."""
    options = (record["container"].get("logConfiguration") or {}).get("options") or {}
    name = record["jobDefinition"].split("/")[-1].split(":")[0]
    prefix = options.get("awslogs-stream-prefix") or name
    return options.get("awslogs-group") or "/aws/batch/job", f"{prefix}/default/{uuid.uuid4().hex}"


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)
