"""`History`: what happened in an execution, in the shape of Step Functions' GetExecutionHistory.

Recording is one small tuple per event; the JSON shape is made when somebody asks.
AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from stepweave.engine.failures import RUNTIME, StateError
from stepweave.engine.payload import to_text

MAX_EVENTS = 25_000
"""Events of one execution: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html."""

_Record: TypeAlias = tuple[str, int, float, str | None, Any, Any]
_NOT_TRUNCATED = {"truncated": False}


class History:
    """The events of one execution. Ids count from 1; ``previous`` is the id of the event before on the same line."""

    __slots__ = ("_limit", "_now", "_records", "role_arn")

    def __init__(self, now: Callable[[], float], role_arn: str, limit: int = MAX_EVENTS) -> None:
        self._now = now
        self._records: list[_Record] = []
        self._limit = limit
        self.role_arn = role_arn

    def __len__(self) -> int:
        return len(self._records)

    def record(
        self, kind: str, previous: int, name: str | None = None, data: Any = None, more: Any = None
    ) -> int:
        """The id of the new event; raises ``States.Runtime`` when no room is left but for the last one."""
        records = self._records
        if len(records) >= self._limit - 1:
            raise StateError(
                RUNTIME, f"The execution reached the maximum number of history events ({self._limit})."
            )
        records.append((kind, previous, self._now(), name, data, more))
        return len(records)

    def end(self, kind: str, previous: int, data: Any = None, more: Any = None) -> None:
        """Record the last event."""
        self._records.append((kind, previous, self._now(), None, data, more))

    def kinds(self) -> list[str]:
        """The types of the events, in order."""
        return [record[0] for record in self._records]

    def events(self) -> Iterator[dict[str, Any]]:
        """The events as GetExecutionHistory gives them, timestamps in seconds since the epoch."""
        for number, (kind, previous, at, name, data, more) in enumerate(self._records, start=1):
            event: dict[str, Any] = {"timestamp": at, "type": kind, "id": number, "previousEventId": previous}
            details = _details(kind, name, data, more)
            if details is not None:
                key, values = details
                if kind == "ExecutionStarted":
                    values["roleArn"] = self.role_arn
                event[key] = values
            yield event


def _details(kind: str, name: str | None, data: Any, more: Any) -> tuple[str, dict[str, Any]] | None:
    """The key of an event's details, and the details; None for a type that has none."""
    key = f"{kind[0].lower()}{kind[1:]}EventDetails"
    match kind:
        case "ExecutionStarted":
            return key, {"input": to_text(data), "inputDetails": _NOT_TRUNCATED}
        case "ExecutionSucceeded":
            return key, {"output": to_text(data), "outputDetails": _NOT_TRUNCATED}
        case "ExecutionFailed" | "ExecutionTimedOut" | "ExecutionAborted":
            return key, _failure(data)
        case (
            "TaskScheduled"
            | "TaskStarted"
            | "TaskSubmitted"
            | "TaskSucceeded"
            | "TaskFailed"
            | "TaskTimedOut"
        ):
            return key, _task(kind, name or "", data, more)
        case "MapStateStarted":
            return key, {"length": data}
        case "EvaluationFailed":
            return key, _failure(data) | {"location": more, "state": name}
    if kind.startswith("MapIteration"):
        return key, {"name": name, "index": data}
    if kind.endswith("StateEntered"):
        return "stateEnteredEventDetails", {
            "name": name,
            "input": to_text(data),
            "inputDetails": _NOT_TRUNCATED,
        }
    if kind.endswith("StateExited"):
        return "stateExitedEventDetails", _exited(name, data, more)
    return None


def _exited(name: str | None, output: Any, assigned: dict[str, Any] | None) -> dict[str, Any]:
    details: dict[str, Any] = {"name": name, "output": to_text(output), "outputDetails": _NOT_TRUNCATED}
    if assigned:
        details["assignedVariables"] = {variable: to_text(value) for variable, value in assigned.items()}
        details["assignedVariablesDetails"] = _NOT_TRUNCATED
    return details


def _task(kind: str, resource: str, data: Any, more: Any) -> dict[str, Any]:
    service, _, call = resource.partition(":")
    details: dict[str, Any] = {"resourceType": service, "resource": call}
    match kind:
        case "TaskScheduled":
            timeout, heartbeat = more
            details |= {"region": "local", "parameters": to_text(data)}
            details |= {"timeoutInSeconds": timeout} if timeout is not None else {}
            details |= {"heartbeatInSeconds": heartbeat} if heartbeat is not None else {}
        case "TaskSubmitted" | "TaskSucceeded":
            details |= {"output": to_text(data), "outputDetails": _NOT_TRUNCATED}
        case "TaskFailed" | "TaskTimedOut":
            details |= _failure(data)
    return details


def _failure(data: tuple[str | None, str | None]) -> dict[str, Any]:
    error, cause = data
    return {key: text for key, text in (("error", error), ("cause", cause)) if text is not None}
