"""JSON values that travel through a machine: their size, their limit, and numbers as JSONata knows them."""

from __future__ import annotations

import json
import re
from typing import Any

from stepweave.engine.failures import DATA_LIMIT_EXCEEDED, MARSHAL_ERROR, StateError

PAYLOAD_BYTES = 262_144
"""Largest input or output of a state, a task or an execution, as UTF-8 JSON text:
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html."""

EXACT_INTEGER = 2**53
"""JSONata numbers are IEEE doubles: integers beyond this are rounded."""

_dumps = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode

# A number that JSONata writes differently from Python: 1.0 (JSONata: 1), or an integer of 16 and more digits.
_INEXACT = re.compile(r"(?:^|[:\[,])-?(?:\d+\.0+|\d{16,})(?:[,}\]]|$)")


def to_text(value: Any) -> str:
    """``value`` as compact JSON text."""
    return _dumps(value)


def accept(value: Any, what: str) -> tuple[Any, bool]:
    """``(value, inexact)``: a copy as JSON carries it, and whether it may hold numbers that JSONata would change.

    A value from outside is copied, so that whoever returned it can go on using it. Raises
    ``States.DataLimitExceeded`` when it is too large, ``Runtime.MarshalError`` (Lambda's name) when it is not JSON.
    """
    try:
        text = _dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise StateError(MARSHAL_ERROR, f"{what} is not JSON: {error}") from error
    limit(text, what)
    return json.loads(text), _INEXACT.search(text) is not None


def check(value: Any, what: str) -> int:
    """The size of ``value`` in bytes; raises ``States.DataLimitExceeded`` beyond ``PAYLOAD_BYTES``."""
    if value is None or value is True or value is False:
        return 5
    return limit(_dumps(value), what)


def limit(text: str, what: str) -> int:
    """The size of JSON ``text`` in bytes; raises ``States.DataLimitExceeded`` beyond ``PAYLOAD_BYTES``."""
    size = len(text)
    if not text.isascii():
        size = len(text.encode("utf-8", "surrogatepass"))
    if size > PAYLOAD_BYTES:
        raise StateError(DATA_LIMIT_EXCEEDED, too_large(what))
    return size


def too_large(what: str) -> str:
    """What AWS says when data of a state or a service is larger than ``PAYLOAD_BYTES``."""
    return f"The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."


def is_whole(value: Any, least: int) -> bool:
    """Whether ``value`` is a whole number from ``least`` on; ``3.0`` is one."""
    return type(value) in (int, float) and value >= least and value % 1 == 0


def is_inexact(number: int | float) -> bool:
    """Whether JSONata changes how this number is written: ``1.0`` becomes ``1``, ``2**53 + 1`` is rounded."""
    return abs(number) > EXACT_INTEGER if isinstance(number, int) else number.is_integer()


def type_name(value: Any) -> str:
    """The JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "array"
