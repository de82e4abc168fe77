"""Step Functions: versions, aliases and activities in templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import stepfunctions

from stepweave.local_aws.layer.cloudformation.types import (
    Handler,
    Properties,
    Resource,
    answer,
    created_name,
)
from stepweave.local_aws.states.part import shifting
from stepweave.local_aws.states.shifting import Shift

_LONGEST = 80
"""Characters of a name: https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateActivity.html"""


def handlers() -> dict[str, Handler]:
    """The handlers, by type."""
    return {
        "AWS::StepFunctions::StateMachineVersion": {
            "create": lambda logical_id, properties, stack: _publish(properties),
            "update": lambda arn, old, new, stack: _publish(new),
            "delete": lambda arn, properties: _done(
                stepfunctions._delete_state_machine_version({"stateMachineVersionArn": arn})
            ),
        },
        "AWS::StepFunctions::StateMachineAlias": {
            "create": _create_alias,
            "update": _update_alias,
            "delete": lambda arn, properties: _done(
                stepfunctions._delete_state_machine_alias({"stateMachineAliasArn": arn})
            ),
        },
        "AWS::StepFunctions::Activity": {
            "create": _create_activity,
            "delete": lambda arn, properties: _done(stepfunctions._delete_activity({"activityArn": arn})),
        },
    }


def _done(response: tuple[int, Mapping[str, str], bytes]) -> None:
    answer(response)


def _publish(properties: Properties) -> Resource:
    request = {
        "stateMachineArn": properties["StateMachineArn"],
        "revisionId": properties.get("StateMachineRevisionId"),
        "description": properties.get("Description", ""),
    }
    arn = answer(stepfunctions._publish_state_machine_version(request))["stateMachineVersionArn"]
    return arn, {"Arn": arn}


def _create_alias(logical_id: str, properties: Properties, stack: str) -> Resource:
    request = {
        "name": created_name(properties, "Name", stack, logical_id, _LONGEST),
        "routingConfiguration": _routing(properties),
        "description": properties.get("Description", ""),
    }
    arn = answer(stepfunctions._create_state_machine_alias(request))["stateMachineAliasArn"]
    return arn, {"Arn": arn}


def _update_alias(arn: str, old: Properties, new: Properties, stack: str) -> Resource:
    preference = new.get("DeploymentPreference")
    shift = None if preference is None else Shift.of(arn, _present_version(arn), preference)
    if shift is not None:
        shifting().begin(shift)
    else:
        shifting().end(arn)
        request = {"stateMachineAliasArn": arn, "routingConfiguration": _routing(new)}
        answer(stepfunctions._update_state_machine_alias(request))
    return arn, {"Arn": arn}


def _present_version(arn: str) -> str:
    """The version to which most of what an alias starts goes."""
    routes = stepfunctions._state_machine_aliases[arn]["routingConfiguration"]
    return str(max(routes, key=lambda route: route["weight"])["stateMachineVersionArn"])


def _routing(properties: Properties) -> list[dict[str, Any]]:
    """Where the alias leads: in the end, if it is to go there step by step."""
    preference = properties.get("DeploymentPreference")
    if preference:
        return [{"stateMachineVersionArn": preference["StateMachineVersionArn"], "weight": 100}]
    return [
        {"stateMachineVersionArn": one["StateMachineVersionArn"], "weight": int(one["Weight"])}
        for one in properties["RoutingConfiguration"]
    ]


def _create_activity(logical_id: str, properties: Properties, stack: str) -> Resource:
    name = created_name(properties, "Name", stack, logical_id, _LONGEST)
    arn = answer(stepfunctions._create_activity({"name": name}))["activityArn"]
    return arn, {"Arn": arn, "Name": name}
