"""The Task state: its resource, what the call needs, its times.

https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepweave.validation.report import Add
from stepweave.validation.resources import ACTIVITY, FUNCTION, Resource, check_resource, resource_of

_NEEDED: dict[str, tuple[str, ...]] = {
    "batch:submitJob": ("JobDefinition", "JobName", "JobQueue"),
    "dynamodb:deleteItem": ("Key", "TableName"),
    "dynamodb:getItem": ("Key", "TableName"),
    "dynamodb:putItem": ("Item", "TableName"),
    "dynamodb:updateItem": ("Key", "TableName"),
    "ecs:runTask": ("TaskDefinition",),
    "events:putEvents": ("Entries",),
    "glue:startJobRun": ("JobName",),
    "http:invoke": ("ApiEndpoint", "Method"),
    "lambda:invoke": ("FunctionName",),
    "sns:publish": ("Message",),
    "sqs:sendMessage": ("MessageBody", "QueueUrl"),
    "states:startExecution": ("StateMachineArn",),
}
"""Arguments without which Step Functions refuses a call, where they are written out."""


def check_task(state: Mapping[str, Any], add: Add, *, express: bool) -> None:
    """Report what is wrong with a Task; ``express`` where it runs in an Express execution."""
    text = state.get("Resource")
    if isinstance(text, str):
        for code, what, expected, fix in check_resource(text):
            add(code, what, expected=expected, got=text, fix=fix)
        resource = resource_of(text)
        if resource is not None:
            _call(resource, state, add)
            if express:
                _express(resource, add)
    _heartbeat(state, add)


def _call(resource: Resource, state: Mapping[str, Any], add: Add) -> None:
    activity = resource.request == ACTIVITY
    _credentials(state, add, activity=activity)
    if activity or resource.request == FUNCTION or "${" in resource.request:
        return
    arguments = state.get("Arguments")
    if "Arguments" not in state:
        fix = "add Arguments: {} when there is nothing to say"
        add("missing-field", f"{resource.request} needs Arguments", expected="Arguments", fix=fix)
    elif isinstance(arguments, dict):
        for name in _NEEDED.get(resource.request, ()):
            if name not in arguments:
                what = f"Arguments of {resource.request} have no {name}"
                add("missing-argument", what, expected=name)
        _known(resource, arguments, add)


def _known(resource: Resource, arguments: Mapping[str, Any], add: Add) -> None:
    """Rules of single integrations."""
    payload = arguments.get("Payload")
    if resource.request == "lambda:invoke" and isinstance(payload, int | float):
        expected = "an object, an array, text or null"
        add("field-type", "Arguments.Payload has a wrong value", expected=expected, got=payload)
    if resource.request == "http:invoke" and not arguments.keys() & {"Authentication", "InvocationConfig"}:
        expected = "Authentication.ConnectionArn"
        add("missing-argument", "Arguments of http:invoke name no connection", expected=expected)


def _credentials(state: Mapping[str, Any], add: Add, *, activity: bool) -> None:
    credentials = state.get("Credentials")
    if "Credentials" in state and activity:
        add("credentials", "an activity has no Credentials", fix="remove them")
    elif isinstance(credentials, dict):
        for name in credentials:
            if name != "RoleArn":
                add("unknown-field", f"Credentials have no field {name}", expected="RoleArn", got=name)
        if "RoleArn" not in credentials:
            add("missing-field", "Credentials need RoleArn", expected="RoleArn")


def _express(resource: Resource, add: Add) -> None:
    kind = "an activity" if resource.request == ACTIVITY else resource.pattern
    if kind:
        what = f"an Express execution cannot wait for {kind}"
        if resource.pattern:
            what = f"an Express execution has no {kind}"
        fix = "set ExecutionType of the Map around it to STANDARD"
        add("express", what, got=resource.call, fix=fix)


def _heartbeat(state: Mapping[str, Any], add: Add) -> None:
    heartbeat, timeout = state.get("HeartbeatSeconds"), state.get("TimeoutSeconds")
    if isinstance(heartbeat, int) and isinstance(timeout, int) and heartbeat >= timeout:
        expected = f"less than TimeoutSeconds ({timeout})"
        add("heartbeat", "HeartbeatSeconds is too long", expected=expected, got=heartbeat)
