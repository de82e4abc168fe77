"""``AWS::Scheduler::Schedule`` with all its properties; ministack's keeps no time zone and no dates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import scheduler
from ministack.services.cloudformation import provisioners

from stepweave.local_aws.layer.seams import Seam

TYPE = "AWS::Scheduler::Schedule"

_NOT_SENT = ("Name", "KmsKeyArn")


def _body(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The request of CreateSchedule and UpdateSchedule."""
    body = {name: value for name, value in properties.items() if name not in _NOT_SENT}
    body.setdefault("FlexibleTimeWindow", {"Mode": "OFF"})
    return body


def _create(logical_id: str, properties: Mapping[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
    name = properties.get("Name") or provisioners._physical_name(stack, logical_id, max_len=64)
    return name, _answered(scheduler._create_schedule(name, _body(properties)))


def _update(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], stack: str
) -> tuple[str, dict[str, Any]]:
    moved = old.get("GroupName", "default") != new.get("GroupName", "default")
    wanted = new.get("Name") or name
    if moved or wanted != name:
        created = _create(wanted, {**new, "Name": wanted}, stack)
        _delete(name, old)
        return created
    return name, _answered(scheduler._update_schedule(name, _body(new)))


def _delete(name: str, properties: Mapping[str, Any]) -> None:
    scheduler._delete_schedule(name, {"groupName": properties.get("GroupName", "default")})


def _answered(response: tuple[int, Any, bytes]) -> dict[str, Any]:
    """The attributes of a schedule; raises ``ValueError`` with the service's refusal."""
    status, _, body = response
    answer = json.loads(body)
    if status >= 400:
        raise ValueError(f"{TYPE}: {answer.get('__type')}: {answer.get('Message')}")
    return {"Arn": answer["ScheduleArn"]}


def install() -> None:
    """Take the place of ministack's handlers."""
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _delete}


SEAMS = (
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    Seam(
        "ministack.services.cloudformation.provisioners",
        "_physical_name",
        ("stack_name", "logical_id", "lowercase", "max_len", "seeded"),
    ),
    Seam("ministack.services.scheduler", "_create_schedule", ("name", "body")),
    Seam("ministack.services.scheduler", "_update_schedule", ("name", "body")),
    Seam("ministack.services.scheduler", "_delete_schedule", ("name", "query")),
)
