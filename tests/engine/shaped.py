"""`defects`: what is wrong with the history of an execution that has ended, measured by AWS's own model of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from stepweave.engine.execution import Execution

_EXECUTION_ENDS = frozenset(f"Execution{end}" for end in ("Succeeded", "Failed", "TimedOut", "Aborted"))


def defects(execution: Execution) -> Iterator[str]:
    """Each defect of the history as a sentence; none in a sound one."""
    events = list(execution.history.events())
    at = execution.started_at
    for number, event in enumerate(events, start=1):
        if event["id"] != number:
            yield f"event {number} has the id {event['id']}"
        if not 0 <= event["previousEventId"] < number:
            yield f"event {number} follows {event['previousEventId']}"
        if event["timestamp"] < at:
            yield f"event {number} is earlier than the one before"
        at = event["timestamp"]
        yield from (f"event {number}: {defect}" for defect in _misshapen(event))
    kinds = [event["type"] for event in events]
    if kinds[:1] != ["ExecutionStarted"]:
        yield f"the history begins with {kinds[:1]}"
    if not kinds or kinds[-1] not in _EXECUTION_ENDS:
        yield f"the history ends with {kinds[-1:]}"
    ends = sum(kind in _EXECUTION_ENDS for kind in kinds)
    if ends != 1 + kinds.count("ExecutionRedriven"):
        yield f"the history has {ends} ends"


@lru_cache(maxsize=1)
def _history_event() -> Shape:
    model = Loader().load_service_model("stepfunctions", "service-2")
    return ServiceModel(model, "stepfunctions").shape_for("HistoryEvent")


def _misshapen(event: dict[str, Any]) -> Iterator[str]:
    shape = _history_event()
    report = ParamValidator().validate(event, shape)
    if report.has_errors():
        yield report.generate_report()
        return
    yield from _beyond_limits(event, shape, "event")


def _beyond_limits(value: Any, shape: Any, where: str) -> Iterator[str]:
    """What botocore leaves to the service: names that are not in an enumeration, texts that are too long."""
    if shape.type_name == "structure":
        for name, item in value.items():
            yield from _beyond_limits(item, shape.members[name], f"{where}.{name}")
    elif shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield f"{where} is {value!r}"
        if len(value) > shape.metadata.get("max", len(value)):
            yield f"{where} has {len(value)} characters"
