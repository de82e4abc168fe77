"""Executions that executions start, by the rules of StartExecution: what is asked for, answered, and goes wrong.

AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from stepweave.engine.execution import Execution
from stepweave.engine.failures import StateError
from stepweave.engine.integrations.base import Call, unusable
from stepweave.engine.integrations.dates import milliseconds
from stepweave.engine.integrations.names import known_name
from stepweave.engine.operations import description
from stepweave.errors import UsageError

NAME_CHARACTERS = 80
"""Longest name of an execution, same page."""

Dates = Callable[[float], Any]
"""How an integration writes times, given as seconds since the epoch."""

_PLAIN = ("redriveCount", "redriveStatus", "redriveStatusReason", "mapRunArn", "redriveDate")
"""What the optimized integration does not tell of an execution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An execution that is wanted."""

    machine: str
    input: Any
    name: str


def order(arguments: Mapping[str, Any], machines: Container[str], call: Call, service: str) -> Order:
    """What the arguments of StartExecution ask for; raises ``StateError`` with the errors of ``service``.

    The input may be data or JSON text, and is an empty object when there is none.
    """
    arn = arguments.get("StateMachineArn")
    machine = known_name(arn, machines)
    if machine is None:
        raise StateError(
            f"{service}.StateMachineDoesNotExistException", f"State Machine Does Not Exist: '{arn}'"
        )
    value = arguments.get("Input")
    if value is None:
        value = {}
    elif isinstance(value, str):
        value = _parsed(value, service)
    name = arguments.get("Name")
    if not isinstance(name, str | None):
        raise unusable(arguments, "The value for the field 'Name' must be a STRING")
    if name is not None and not 1 <= len(name) <= NAME_CHARACTERS:
        raise StateError(f"{service}.InvalidNameException", f"Invalid Name: '{name}'")
    return Order(machine=machine, input=value, name=call.name if name is None else name)


def running_twin(wanted: Order, known: Mapping[str, Execution], service: str) -> Execution | None:
    """The running execution that ``wanted`` asks for once more; None when its name is free.

    Raises ``StateError`` when the name belongs to another execution or to one that has ended.
    """
    twin = known.get(wanted.name)
    if twin is None:
        return None
    if (twin.machine, twin.input, twin.status) == (wanted.machine, wanted.input, "RUNNING"):
        return twin
    raise exists_already(twin.arn, service)


def exists_already(arn: str, service: str) -> StateError:
    """The error of a name that is taken."""
    return StateError(f"{service}.ExecutionAlreadyExistsException", f"Execution Already Exists: '{arn}'")


def start(wanted: Order, call: Call, service: str) -> Execution:
    """The new execution; the one that this very call started before, when the engine had been left since."""
    try:
        return call.start_machine(wanted.machine, wanted.input, wanted.name, started_by=call.name)
    except UsageError as error:
        raise exists_already(wanted.name, service) from error


def describe(execution: Execution, now: float, dates: Dates) -> dict[str, Any]:
    """DescribeExecution's answer in PascalCase."""
    return pascal(description(execution, now), dates)


def describe_child(execution: Execution, now: float, *, parsed: bool) -> dict[str, Any]:
    """What ``.sync`` answers; ``parsed``: input and output as data (``.sync:2``) instead of text."""
    answer = description(execution, now)
    for field in _PLAIN:
        answer.pop(field, None)
    if parsed:
        answer["input"] = execution.input
        if "output" in answer:
            answer["output"] = execution.output
    return pascal(answer, milliseconds)


def pascal(answer: Mapping[str, Any], dates: Dates) -> dict[str, Any]:
    """An answer of the engine's operations as a task sees it: names in PascalCase, times as ``dates`` writes them."""
    result = {}
    for name, value in sorted(answer.items()):
        if name.endswith("Date"):
            value = dates(value)
        elif name.endswith("Details"):
            value = {key[0].upper() + key[1:]: item for key, item in value.items()}
        result[name[0].upper() + name[1:]] = value
    return result


def _parsed(text: str, service: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise StateError(
            f"{service}.InvalidExecutionInputException", f"Invalid State Machine Execution Input: '{error}'"
        ) from error
