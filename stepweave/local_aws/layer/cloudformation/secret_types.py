"""Secrets in templates: ``Ref`` is the ARN, as on AWS, where ministack has the name."""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import provisioners

from stepweave.local_aws.layer.cloudformation.types import Handler, Properties, Resource

_ministack: Handler = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]


def handlers() -> dict[str, Handler]:
    """The handlers, by type."""
    added: Handler = {"create": _create, "update": _update, "delete": _delete}
    return {"AWS::SecretsManager::Secret": {**_ministack, **added}}


def _create(logical_id: str, properties: Properties, stack: str) -> Resource:
    _, attributes = _ministack["create"](logical_id, properties, stack)
    return attributes["Arn"], attributes


def _update(arn: str, old: Properties, new: Properties, stack: str, *logical_id: Any) -> Resource:
    _, attributes = _ministack["update"](_name(arn), old, new, stack, *logical_id)
    return attributes["Arn"], attributes


def _delete(arn: str, properties: Properties) -> None:
    _ministack["delete"](_name(arn), properties)


def _name(arn: str) -> str:
    """The name in an ARN, without what Secrets Manager adds to it."""
    return arn.partition(":secret:")[2].rpartition("-")[0]
