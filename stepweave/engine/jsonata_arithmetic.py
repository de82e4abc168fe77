"""Arithmetic on doubles that goes on where JSONata 2.0.6 fails: ``1 / 0`` is ``"Infinity"``.

Measured on Step Functions by the authors of sfnx (docs/decisions/jsonata.md): a division by zero and an overflow give
``"Infinity"``, ``"-Infinity"`` or ``"NaN"``, which compare as numbers and with which further arithmetic fails. The
library knows no such numbers, so marked strings stand for them (``jsonata_text.NOT_FINITE``) until the expression ends.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Final

from stepweave.engine.jsonata_calls import UNDEFINED, FunctionError, mismatch
from stepweave.engine.jsonata_text import NOT_FINITE

_NUMBERS = {mark: float(text) for mark, text in NOT_FINITE.items()}
_MARKS = {str(number): mark for mark, number in _NUMBERS.items()}


def _divided(dividend: float, divisor: float) -> float:
    if divisor:
        return dividend / divisor
    sign = math.copysign(1.0, dividend) * math.copysign(1.0, divisor)
    return math.nan if dividend == 0 else math.copysign(math.inf, sign)


def _remainder(dividend: float, divisor: float) -> float:
    return math.fmod(dividend, divisor) if divisor else math.nan


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _remainder,
}

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_ROUNDINGS: dict[str, Callable[[float], float]] = {"abs": abs, "ceil": math.ceil, "floor": math.floor}

OPERATORS: Final = frozenset(_ARITHMETIC) | frozenset(_COMPARISONS)
"""Operators that :func:`evaluate` knows."""

FUNCTIONS: Final = frozenset(_ROUNDINGS)
"""Functions that :func:`evaluate` knows: those that pass what is no number on."""


def evaluate(name: str, values: list[Any]) -> Any:
    """The result of an operator on two values, or of a function on one; ``UNDEFINED`` where a value is."""
    if name in _ROUNDINGS:
        return _rounded(name, values[0])
    if name in _COMPARISONS:
        return _compared(name, *values)
    left, right = (_operand(name, side, value) for side, value in zip(("left", "right"), values, strict=True))
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    return marked(_ARITHMETIC[name](left, right))


def marked(number: float) -> float | str:
    """The number as it may enter the library: what is not finite as its mark."""
    return number if math.isfinite(number) else _MARKS[str(number)]


def unmarked(value: Any) -> Any:
    """A result without marks: the text of each number that is none."""
    if isinstance(value, str):
        return NOT_FINITE.get(value, value)
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    if isinstance(value, dict):
        return {key: unmarked(item) for key, item in value.items()}
    return value


def _operand(name: str, side: str, value: Any) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    if isinstance(value, str) and math.isinf(_NUMBERS.get(value, 0)):
        raise FunctionError(f"D1001: Number out of range: {NOT_FINITE[value]}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        code = "T2001" if side == "left" else "T2002"
        raise FunctionError(f'{code}: The {side} side of the "{name}" operator must evaluate to a number')
    return float(value)


def _rounded(name: str, value: Any) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    if isinstance(value, str) and value in _NUMBERS:
        return marked(abs(_NUMBERS[value])) if name == "abs" else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mismatch(name, 1)
    return _ROUNDINGS[name](value)


def _compared(name: str, left: Any, right: Any) -> Any:
    left, right = _comparable(name, left), _comparable(name, right)
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    if type(left) is not type(right):
        raise FunctionError(
            f'T2009: The values either side of operator "{name}" must be of the same data type'
        )
    return _COMPARISONS[name](left, right)


def _comparable(name: str, value: Any) -> Any:
    """A value as it is ordered: a string by its UTF-16 units, a number with the mark of none above all others."""
    if value is UNDEFINED:
        return UNDEFINED
    if isinstance(value, str) and value not in _NUMBERS:
        return value.encode("utf-16-be", "surrogatepass")
    number = _NUMBERS[value] if isinstance(value, str) else value
    if isinstance(number, int | float) and not isinstance(number, bool):
        return (True, 0.0) if math.isnan(number) else (False, number)
    raise FunctionError(
        f'T2010: The expressions either side of operator "{name}" must evaluate to numeric or string values'
    )
