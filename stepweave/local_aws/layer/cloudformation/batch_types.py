"""Batch: compute environments, queues, scheduling policies and job definitions in templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import batch

from stepweave.local_aws.layer.batch.requests import camel
from stepweave.local_aws.layer.cloudformation.types import (
    Handler,
    Properties,
    Resource,
    answer,
    created_name,
)

_LONGEST = 128
"""Characters of a name: https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateJobQueue.html"""
_NUMBERS = ("attempts", "attemptDurationSeconds", "vcpus", "memory", "order", "priority", "sharedMemorySize")
"""Fields that templates may give as text."""

_kept: set[str] = set()
"""Revisions that were replaced and stay usable."""


def handlers() -> dict[str, Handler]:
    """The handlers, by type. Read from Batch's dispatch table when they are called: other parts replace entries."""
    return {
        "AWS::Batch::ComputeEnvironment": _named(
            "ComputeEnvironment", "computeEnvironment", "ComputeEnvironmentArn"
        ),
        "AWS::Batch::JobQueue": _named("JobQueue", "jobQueue", "JobQueueArn"),
        "AWS::Batch::SchedulingPolicy": _scheduling_policy(),
        "AWS::Batch::JobDefinition": {
            "create": _create_definition,
            "update": _update_definition,
            "delete": _delete_definition,
        },
    }


def _call(action: str, request: Mapping[str, Any]) -> dict[str, Any]:
    return answer(batch._DISPATCH[f"/v1/{action.lower()}"](request))


def _named(noun: str, field: str, attribute: str) -> Handler:
    """The handlers of a thing that is created, updated and deleted by the action with its name."""

    def create(logical_id: str, properties: Properties, stack: str) -> Resource:
        name = created_name(properties, f"{noun}Name", stack, logical_id, _LONGEST)
        request = _plain({**properties, f"{noun}Name": name})
        arn = _call(f"Create{noun}", request)[f"{field}Arn"]
        return arn, {attribute: arn}

    def update(arn: str, old: Properties, new: Properties, stack: str) -> Resource:
        changed = {key: value for key, value in _plain(new).items() if key != f"{field}Name"}
        _call(f"Update{noun}", {**changed, field: arn})
        return arn, {attribute: arn}

    def delete(arn: str, properties: Properties) -> None:
        _call(f"Delete{noun}", {field: arn})

    return {"create": create, "update": update, "delete": delete}


def _scheduling_policy() -> Handler:
    def create(logical_id: str, properties: Properties, stack: str) -> Resource:
        name = created_name(properties, "Name", stack, logical_id, _LONGEST)
        arn = _call("CreateSchedulingPolicy", {**_plain(properties), "name": name})["arn"]
        return arn, {"Arn": arn}

    nothing: Callable[..., None] = lambda arn, properties: None  # noqa: E731 - it has no state
    return {"create": create, "update": lambda arn, old, new, stack: (arn, {"Arn": arn}), "delete": nothing}


def _create_definition(logical_id: str, properties: Properties, stack: str) -> Resource:
    name = created_name(properties, "JobDefinitionName", stack, logical_id, _LONGEST)
    return _register(properties, name)


def _update_definition(arn: str, old: Properties, new: Properties, stack: str) -> Resource:
    """A new revision; the old one stays usable where the template asks for it, as executions may still submit it."""
    if str((new.get("ResourceRetentionPolicy") or {}).get("SkipDeregisterOnUpdate")).lower() == "true":
        _kept.add(arn)
    return _register(new, arn.split("/")[-1].split(":")[0])


def _delete_definition(arn: str, properties: Properties) -> None:
    """Deregister a revision; ministack calls it for the old one too, once an update has succeeded."""
    if arn in _kept:
        _kept.discard(arn)
    else:
        _call("DeregisterJobDefinition", {"jobDefinition": arn})


def _register(properties: Properties, name: str) -> Resource:
    known = {key: value for key, value in properties.items() if key != "ResourceRetentionPolicy"}
    arn = _call("RegisterJobDefinition", {**_plain(known), "jobDefinitionName": name})["jobDefinitionArn"]
    return arn, {"JobDefinitionArn": arn}


def _plain(properties: Properties) -> dict[str, Any]:
    """Properties as the API has them."""
    found: dict[str, Any] = _numbered(camel(properties))
    if (
        "type" in found
    ):  # templates may say "managed", the API says "MANAGED"; a job definition is "container"
        found["type"] = (
            found["type"] if found["type"] in ("container", "multinode") else found["type"].upper()
        )
    return found


def _numbered(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: int(one) if key in _NUMBERS and isinstance(one, str) and one.isdigit() else _numbered(one)
            for key, one in value.items()
        }
    return [_numbered(one) for one in value] if isinstance(value, list) else value
