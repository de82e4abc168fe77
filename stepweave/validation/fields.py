"""Which fields each type of state has in JSONata mode, and what their values may be.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html and the page of each state.
A check gets a value and answers what was expected, or None when the value is right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepweave.validation.jsonata import is_expression
from stepweave.validation.limits import MAX_SECONDS

Check = Callable[[Any], str | None]


def text(value: Any) -> str | None:
    """A string."""
    return None if isinstance(value, str) else "a string"


def _name(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "the name of a state"


def _true(value: Any) -> str | None:
    return None if value is True else "true"


def _json(_: Any) -> str | None:
    return None


def an_object(value: Any) -> str | None:
    """An object."""
    return None if isinstance(value, dict) else "an object"


def _list(value: Any) -> str | None:
    return None if isinstance(value, (list, tuple)) else "an array"


def _filled_list(value: Any) -> str | None:
    return None if isinstance(value, (list, tuple)) and value else "an array with at least one element"


def _expression(value: Any) -> str | None:
    return None if isinstance(value, str) and is_expression(value) else "an expression {% … %}"


def arguments(value: Any) -> str | None:
    """An object, or an expression that gives one."""
    right = isinstance(value, dict) or _expression(value) is None
    return None if right else "an object or an expression {% … %}"


def _items(value: Any) -> str | None:
    right = isinstance(value, (list, tuple, dict)) or _expression(value) is None
    return None if right else "an array, an object or an expression {% … %}"


def whole(least: int, most: int | None = None) -> Check:
    """A check for a whole number from ``least`` to ``most``."""
    expected = f"a whole number from {least:,}" + (f" to {most:,}" if most is not None else "")

    def check(value: Any) -> str | None:
        right = isinstance(value, int) and not isinstance(value, bool) and least <= value
        return None if right and (most is None or value <= most) else expected

    return check


def or_expression(check: Check) -> Check:
    """A check for what ``check`` takes, or an expression."""

    def either(value: Any) -> str | None:
        expected = check(value)
        return (
            None
            if expected is None or _expression(value) is None
            else f"{expected}, or an expression {{% … %}}"
        )

    return either


def one_of(*words: str) -> Check:
    """A check for one of ``words``."""

    def check(value: Any) -> str | None:
        return None if isinstance(value, str) and value in words else " or ".join(words)

    return check


def _percentage(value: Any) -> str | None:
    right = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100
    return None if right else "a number from 0 to 100"


_SECONDS = or_expression(whole(1, MAX_SECONDS))
_WAIT = or_expression(whole(0, MAX_SECONDS))
_COUNT = or_expression(whole(0))
_COMMON: dict[str, Check] = {"Type": text, "Comment": text, "QueryLanguage": one_of("JSONata", "JSONPath")}
_GO_ON: dict[str, Check] = _COMMON | {"Next": _name, "End": _true}
_VALUES: dict[str, Check] = {"Assign": an_object, "Output": _json}
_HANDLERS: dict[str, Check] = {"Retry": _list, "Catch": _list}

STATE_FIELDS: dict[str, dict[str, Check]] = {
    "Task": _GO_ON | _VALUES | _HANDLERS | {
        "Resource": text, "Arguments": arguments, "Credentials": arguments,
        "TimeoutSeconds": _SECONDS, "HeartbeatSeconds": _SECONDS,
    },
    "Pass": _GO_ON | _VALUES,
    "Choice": _COMMON | _VALUES | {"Choices": _filled_list, "Default": _name},
    "Wait": _GO_ON | _VALUES | {"Seconds": _WAIT, "Timestamp": text},
    "Succeed": _COMMON | {"Output": _json},
    "Fail": _COMMON | {"Error": text, "Cause": text},
    "Parallel": _GO_ON | _VALUES | _HANDLERS | {"Branches": _filled_list, "Arguments": _json},
    "Map": _GO_ON | _VALUES | _HANDLERS | {
        "Items": _items, "ItemProcessor": an_object, "Iterator": an_object, "ItemSelector": arguments,
        "MaxConcurrency": _COUNT,
        "ItemReader": an_object, "ItemBatcher": an_object, "ResultWriter": an_object, "Label": text,
        "ToleratedFailureCount": _COUNT, "ToleratedFailurePercentage": or_expression(_percentage),
    },
}  # fmt: skip
"""Fields of each type of state."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "Task": ("Resource",),
    "Choice": ("Choices",),
    "Parallel": ("Branches",),
}
"""Fields that a state cannot do without."""

CONSTANT = frozenset(
    {"Type", "Comment", "QueryLanguage", "Next", "End", "Resource", "Default", "Label", "Credentials"}
)
"""Fields in which Step Functions looks for no expression when it checks a definition."""

MACHINE_FIELDS: dict[str, Check] = {
    "Comment": text,
    "QueryLanguage": text,
    "StartAt": _name,
    "States": an_object,
    "TimeoutSeconds": whole(0, MAX_SECONDS),
    "Version": one_of("1.0"),
}
"""Fields of the whole definition."""

BRANCH_FIELDS: dict[str, Check] = {"Comment": text, "StartAt": _name, "States": an_object}
"""Fields of a branch."""

PROCESSOR_FIELDS: dict[str, Check] = BRANCH_FIELDS | {"ProcessorConfig": an_object}
"""Fields of the processor of a Map."""

RULE_FIELDS: dict[str, Check] = {"Condition": _expression, "Next": _name, "Comment": text} | _VALUES
"""Fields of a rule of a Choice."""

CATCHER_FIELDS: dict[str, Check] = {"ErrorEquals": _filled_list, "Next": _name, "Comment": text} | _VALUES
"""Fields of a catcher."""

JSONPATH_FIELDS = {
    "InputPath": "select in Arguments: {% $states.input.… %}",
    "Parameters": "use Arguments",
    "ResultSelector": "use Output or Assign",
    "ResultPath": "use Output or Assign",
    "OutputPath": "use Output",
    "Result": "use Output",
    "Variable": "write the comparison in Condition",
} | {
    name + "Path": f"write an expression in {name}"
    for name in (
        "Items", "MaxConcurrency", "Seconds", "Timestamp", "TimeoutSeconds", "HeartbeatSeconds", "Cause", "Error",
        "ToleratedFailureCount", "ToleratedFailurePercentage", "MaxItems", "MaxItemsPerBatch", "MaxInputBytesPerBatch",
    )
}  # fmt: skip
"""Fields of JSONPath mode, and what stands for each in JSONata mode."""
