"""What the children of a Distributed Map came to, as data: the forms of the result and of the files.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stepweave.engine import payload
from stepweave.engine.clock import timestamp
from stepweave.engine.failures import StateError

RESULT_WRITER_FAILED = "States.ResultWriterFailed"
_TRANSFORMATIONS = ("NONE", "COMPACT", "FLATTEN")
_OUTPUT_TYPES = ("JSON", "JSONL")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildResult:
    """How a child execution ended, or that it never began."""

    status: str
    """``SUCCEEDED``, ``FAILED``, ``TIMED_OUT``, ``ABORTED`` or ``PENDING``: never started, as the map had failed."""
    input: Any
    output: Any = None
    error: str | None = None
    cause: str | None = None
    name: str = ""
    arn: str = ""
    machine_arn: str = ""
    """ARN of the state machine, which ends in the label of the map."""
    started_at: float = 0
    """Seconds since 1970."""
    stopped_at: float = 0
    """Seconds since 1970."""
    redrive_count: int = 0
    redriven_at: float | None = None
    """Seconds since 1970; None when it was never redriven."""
    attempt: int = 0
    """The redrive of the map run in which it ended, from 1; 0 for the first attempt."""
    express: bool = False


@dataclass(frozen=True, slots=True)
class WriterConfig:
    """``WriterConfig`` of a ResultWriter."""

    transformation: str = "NONE"
    """``NONE``, ``COMPACT`` or ``FLATTEN``."""
    output_type: str = "JSON"
    """``JSON`` or ``JSONL``."""


def writer_config(given: Any, transformation: str = "NONE") -> WriterConfig:
    """The checked form of an evaluated ``WriterConfig``, with the transformation that holds where it names none."""
    config = {} if given is None else given
    if not isinstance(config, Mapping):
        raise result_writer_failed("WriterConfig must be an object.")
    return WriterConfig(
        _one_of(config, "Transformation", _TRANSFORMATIONS) or transformation,
        _one_of(config, "OutputType", _OUTPUT_TYPES) or "JSON",
    )


def result_writer_failed(cause: str) -> StateError:
    """The error of a result writer."""
    return StateError(RESULT_WRITER_FAILED, cause)


def results_of(children: Iterable[ChildResult]) -> list[Any]:
    """The result of a map without a ResultWriter: the outputs; a failure that is tolerated has its error there."""
    return [child.output if child.status == "SUCCEEDED" else _failure(child) for child in children]


def transformed(children: Iterable[ChildResult], config: Any) -> Any:
    """The result of a map whose ResultWriter has a ``WriterConfig`` and no ``Resource``.

    >>> transformed([ChildResult(status="SUCCEEDED", input=0, output=[1, 2])], {"Transformation": "FLATTEN"})
    [1, 2]
    """
    checked = writer_config(config, "COMPACT")
    values = [value for child in children for value in values_of(child, checked.transformation)]
    return (
        "".join(f"{payload.to_text(value)}\n" for value in values)
        if checked.output_type == "JSONL"
        else values
    )


def values_of(child: ChildResult, transformation: str) -> list[Any]:
    """What stands for a child in the result; one that did not succeed has all its data, as with ``NONE``."""
    if transformation == "NONE" or child.status != "SUCCEEDED":
        return [entry_of(child)]
    if transformation == "FLATTEN" and isinstance(child.output, list):
        return child.output
    return [child.output]


def entry_of(child: ChildResult) -> dict[str, Any]:
    """A child with its data, as the page shows it."""
    if child.status == "PENDING":
        return {"Input": payload.to_text(child.input), "InputDetails": _INCLUDED, "Status": child.status}
    entry = {
        "Cause": child.cause,
        "Error": child.error,
        "ExecutionArn": child.arn,
        "Input": payload.to_text(child.input),
        "InputDetails": _INCLUDED,
        "Name": child.name,
        "Output": payload.to_text(child.output) if child.status == "SUCCEEDED" else None,
        "OutputDetails": _INCLUDED,
        "RedriveCount": child.redrive_count,
        "RedriveDate": None if child.redriven_at is None else timestamp(child.redriven_at),
        **_redrive_status(child),
        "StartDate": timestamp(child.started_at),
        "StateMachineArn": child.machine_arn,
        "Status": child.status,
        "StopDate": timestamp(child.stopped_at),
    }
    return {field: value for field, value in entry.items() if value is not None}


_INCLUDED = {"Included": True}


def _redrive_status(child: ChildResult) -> dict[str, str]:
    if child.express:
        return {}
    if child.status == "SUCCEEDED":
        reason = "Execution is SUCCEEDED and cannot be redriven"
        return {"RedriveStatus": "NOT_REDRIVABLE", "RedriveStatusReason": reason}
    return {"RedriveStatus": "REDRIVABLE_BY_MAP_RUN"}


def _failure(child: ChildResult) -> dict[str, Any]:
    """A tolerated failure in the result of a map; sfnx measured its three fields."""
    failure = {"Status": child.status, "Error": child.error, "Cause": child.cause}
    return {field: value for field, value in failure.items() if value is not None}


def _one_of(config: Mapping[str, Any], field: str, allowed: tuple[str, ...]) -> str | None:
    value = config.get(field)
    if value is not None and value not in allowed:
        raise result_writer_failed(f"{field} must be one of {', '.join(allowed)}, got {value!r}.")
    return value
