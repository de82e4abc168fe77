"""The actions of Batch's API that ministack lacks or only pretends to have."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import batch

from stepweave.local_aws.layer.batch.jobs import Jobs
from stepweave.local_aws.layer.batch.records import ENDED, BatchError, find_definition

Request = Mapping[str, Any]
Response = tuple[int, dict[str, str], bytes]

_KEPT = (
    "parameters",
    "retryStrategy",
    "timeout",
    "platformCapabilities",
    "propagateTags",
    "schedulingPriority",
    "consumableResourceProperties",
)
"""What a job definition has besides what ministack keeps."""
_KEPT_OF_QUEUES = ("schedulingPolicyArn", "jobStateTimeLimitActions")


def actions(jobs: Jobs) -> dict[str, Callable[[Request], Response]]:
    """The handler of each path."""
    return {
        "/v1/submitjob": _answered(lambda request: _submit(jobs, request)),
        "/v1/describejobs": _answered(lambda request: _describe(jobs, request)),
        "/v1/terminatejob": _answered(lambda request: _terminate(jobs, request)),
        "/v1/canceljob": _answered(lambda request: _cancel(jobs, request)),
        # Not of Batch: what happens to a job on spot capacity, for whoever wants to see how a task takes it.
        "/v1/reclaimhost": _answered(lambda request: _reclaim(jobs, request)),
        "/v1/registerjobdefinition": register,
        "/v1/deregisterjobdefinition": _answered(_deregister),
        "/v1/describejobdefinitions": _answered(_describe_definitions),
        "/v1/createjobqueue": create_queue,
        "/v1/updatejobqueue": _answered(_update_queue),
        "/v1/deletejobqueue": _answered(_delete_queue),
        "/v1/deletecomputeenvironment": _answered(_delete_environment),
        "/v1/createschedulingpolicy": _answered(_create_policy),
        "/v1/updateschedulingpolicy": _answered(lambda request: {}),
        "/v1/deleteschedulingpolicy": _answered(lambda request: {}),
    }


def _answered(action: Callable[[Request], Mapping[str, Any]]) -> Callable[[Request], Response]:
    """``action`` as a handler of ministack."""

    def handler(request: Request) -> Response:
        try:
            body = action(request)
        except BatchError as error:
            refused: Response = error_response_json(error.code, str(error), 400)
            return refused
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()

    return handler


def _submit(jobs: Jobs, request: Request) -> Mapping[str, Any]:
    record = jobs.describe(jobs.submit(request))
    return {name: record[name] for name in ("jobId", "jobName", "jobArn")}


def _describe(jobs: Jobs, request: Request) -> Mapping[str, Any]:
    known = [job_id for job_id in request.get("jobs") or () if job_id in batch._jobs]
    return {"jobs": [jobs.describe(job_id) for job_id in known]}


def _terminate(jobs: Jobs, request: Request) -> Mapping[str, Any]:
    jobs.terminate(_job_id(request), str(request.get("reason", "")))
    return {}


def _cancel(jobs: Jobs, request: Request) -> Mapping[str, Any]:
    """Stop a job that has not started; one that has goes on."""
    if jobs.describe(_job_id(request))["status"] not in (*ENDED, "STARTING", "RUNNING"):
        jobs.terminate(_job_id(request), str(request.get("reason", "")))
    return {}


def _reclaim(jobs: Jobs, request: Request) -> Mapping[str, Any]:
    jobs.reclaim(_job_id(request))
    return {}


def _job_id(request: Request) -> str:
    return str(request.get("jobId", "")).split("/")[-1]


def register(request: Request) -> Response:
    """Register a job definition, with everything that was given."""
    response: Response = _ministack_register(request)
    if response[0] == 200:
        record = batch._job_definitions[request["jobDefinitionName"]][-1]
        record.update({name: request[name] for name in _KEPT if name in request})
    return response


def create_queue(request: Request) -> Response:
    """Create a job queue, with everything that was given."""
    response: Response = _ministack_create_queue(request)
    if response[0] == 200:
        record = batch._job_queues[request["jobQueueName"]]
        record.update({name: request[name] for name in _KEPT_OF_QUEUES if name in request})
    return response


_ministack_register = batch._register_job_definition
_ministack_create_queue = batch._create_job_queue


def _deregister(request: Request) -> Mapping[str, Any]:
    definition = find_definition(str(request.get("jobDefinition", "")))
    if definition is not None:
        definition["status"] = "INACTIVE"
    return {}


def _describe_definitions(request: Request) -> Mapping[str, Any]:
    wanted = {str(one).split("/")[-1] for one in request.get("jobDefinitions") or ()}
    name, status = request.get("jobDefinitionName"), request.get("status")
    found = [
        one
        for revisions in batch._job_definitions.values()
        for one in revisions
        if (not name or one["jobDefinitionName"] == name)
        and (not status or one["status"] == status)
        and (
            not wanted or wanted & {one["jobDefinitionName"], f"{one['jobDefinitionName']}:{one['revision']}"}
        )
    ]
    return {"jobDefinitions": found}


def _update_queue(request: Request) -> Mapping[str, Any]:
    name = _queue_name(request)
    changed = {key: value for key, value in request.items() if key != "jobQueue"}
    batch._job_queues[name].update(changed)
    return {"jobQueueName": name, "jobQueueArn": batch._jq_arn(name)}


def _delete_queue(request: Request) -> Mapping[str, Any]:
    batch._job_queues.pop(_queue_name(request), None)
    return {}


def _queue_name(request: Request) -> str:
    name, refused = batch._job_queue_name_from_ref(request.get("jobQueue"))
    if refused or name not in batch._job_queues:
        raise BatchError("ClientException", f"Job Queue {request.get('jobQueue')} does not exist")
    return str(name)


def _delete_environment(request: Request) -> Mapping[str, Any]:
    name, _ = batch._compute_environment_name_from_ref(request.get("computeEnvironment"))
    batch._compute_envs.pop(name, None)
    return {}


def _create_policy(request: Request) -> Mapping[str, Any]:
    arn = batch._jq_arn(request["name"]).replace(":job-queue/", ":scheduling-policy/")
    return {"name": request["name"], "arn": arn}
