"""The shape of events: what GetExecutionHistory says of each type.

AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from __future__ import annotations

from typing import Any

from stepweave.engine.payload import to_text
from stepweave.engine.place import EMBEDDED, Place

_NOT_TRUNCATED = {"truncated": False}


def to_event(
    kind: str,
    number: int,
    previous: int,
    at: float,
    name: str | None,
    data: Any,
    more: Any,
    place: Place = EMBEDDED,
) -> dict[str, Any]:
    """One event; its timestamp is in seconds since the epoch."""
    event: dict[str, Any] = {"timestamp": at, "type": kind, "id": number, "previousEventId": previous}
    details = _details(kind, name or "", data, more, place)
    if details is not None:
        key, values = details
        event[key] = values
    return event


def _details(kind: str, name: str, data: Any, more: Any, place: Place) -> tuple[str, dict[str, Any]] | None:
    """The key of an event's details, and the details; None for a type that has none."""
    key = f"{kind[0].lower()}{kind[1:]}EventDetails"
    if kind.startswith("Task") and not kind.startswith("TaskState"):
        return key, _task(kind, name, data, more, place)
    if kind.startswith(("LambdaFunction", "Activity")):
        return None if kind == "LambdaFunctionStarted" else (key, _direct(kind, name, data, more))
    if kind.startswith("MapIteration"):
        return key, {"name": name, "index": data}
    if kind.endswith("StateEntered"):
        return "stateEnteredEventDetails", {"name": name, **_text("input", data)}
    if kind.endswith("StateExited"):
        return "stateExitedEventDetails", _exited(name, data, more)
    found = _of_an_execution(kind, name, data, more, place)
    return (key, found) if found is not None else None


def _of_an_execution(kind: str, name: str, data: Any, more: Any, place: Place) -> dict[str, Any] | None:
    """The details of what concerns a whole execution, a map or an expression."""
    match kind:
        case "ExecutionStarted":
            return {**_text("input", data), "roleArn": place.role_arn}
        case "ExecutionSucceeded":
            return _text("output", data)
        case "ExecutionFailed" | "ExecutionTimedOut" | "ExecutionAborted" | "MapRunFailed":
            return _failure(data)
        case "ExecutionRedriven":
            return {"redriveCount": data}
        case "MapStateStarted":
            return {"length": data}
        case "MapRunStarted":
            return {"mapRunArn": data}
        case "MapRunRedriven":
            return {"mapRunArn": data, "redriveCount": more}
        case "EvaluationFailed":
            return _failure(data) | {"location": more, "state": name}
    return None


def _exited(name: str, output: Any, more: Any) -> dict[str, Any]:
    details: dict[str, Any] = {"name": name, **_text("output", output)}
    variables = more[0]
    if variables:
        details["assignedVariables"] = {variable: to_text(value) for variable, value in variables.items()}
        details["assignedVariablesDetails"] = _NOT_TRUNCATED
    return details


def _task(kind: str, resource: str, data: Any, more: Any, place: Place) -> dict[str, Any]:
    """The details of a call of a service."""
    service, call = service_and_call(resource)
    details: dict[str, Any] = {"resourceType": service, "resource": call}
    match kind:
        case "TaskScheduled":
            details |= {"region": place.region, "parameters": to_text(data), **_limits(*more[:2])}
        case "TaskSubmitted" | "TaskSucceeded":
            details |= _text("output", data)
        case "TaskFailed" | "TaskTimedOut" | "TaskStartFailed" | "TaskSubmitFailed":
            details |= _failure(data)
    return details


def service_and_call(resource: str) -> tuple[str, str]:
    """``resourceType`` and ``resource`` of a task's events.

    >>> service_and_call("states:startExecution.sync:2"), service_and_call("aws-sdk:s3:listBuckets")
    (('states', 'startExecution.sync:2'), ('aws-sdk:s3', 'listBuckets'))
    """
    head, _, call = resource.partition(":")
    if head != "aws-sdk":
        return head, call
    service, _, call = call.partition(":")
    return f"{head}:{service}", call


def _direct(kind: str, target: str, data: Any, more: Any) -> dict[str, Any]:
    """The details of a call of an activity or of a function by its own ARN."""
    match kind.removeprefix("LambdaFunction").removeprefix("Activity"):
        case "Scheduled":
            timeout, heartbeat, _ = more
            limits = _limits(timeout, heartbeat if kind.startswith("Activity") else None)
            return {"resource": target, **_text("input", data), **limits}
        case "Started":
            return dict(data or {})
        case "Succeeded":
            return _text("output", data)
    return _failure(data)


def _limits(timeout: float | None, heartbeat: float | None) -> dict[str, Any]:
    details = {} if timeout is None else {"timeoutInSeconds": timeout}
    return details if heartbeat is None else {**details, "heartbeatInSeconds": heartbeat}


def _text(field: str, value: Any) -> dict[str, Any]:
    return {field: to_text(value), f"{field}Details": _NOT_TRUNCATED}


def _failure(data: tuple[str | None, str | None]) -> dict[str, Any]:
    error, cause = data
    return {key: text for key, text in (("error", error), ("cause", cause)) if text is not None}
