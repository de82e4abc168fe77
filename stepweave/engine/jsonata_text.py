"""Values as the text that Step Functions makes of them, in ``$string`` and around ``&``.

It differs from JSONata 2.0.6 in fractions, which are rounded down, and in control characters, which are not escaped:
measured on Step Functions by the authors of sfnx (docs/decisions/jsonata.md).
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Context, Decimal
from typing import Any, Final

from stepweave.engine.jsonata_calls import FunctionError

NOT_FINITE: Final = {"\0Infinity": "Infinity", "\0-Infinity": "-Infinity", "\0NaN": "NaN"}
"""What stands for a number that is none inside the library, which knows no such numbers, and the text it ends as."""

_WHOLE = 1e21
"""Whole numbers from here on are written with an exponent."""

_FIFTEEN_DIGITS = Context(prec=15, rounding=ROUND_FLOOR)

_ESCAPES = str.maketrans(
    {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
)

_INDENT = "  "


def number_text(number: int | float) -> str:
    """The text of a number: all digits of a whole one, 15 digits of a fraction, rounded down.

    >>> number_text(2 / 3), number_text(1.5e16), number_text(1.5e21), number_text(1.5e-7)
    ('0.666666666666666', '15000000000000000', '1.5e+21', '1.5e-7')
    """
    if abs(number) >= _WHOLE:
        return repr(float(number))
    if float(number).is_integer():
        return ("-" if number < 0 else "") + exact_digits(number)
    return str(_FIFTEEN_DIGITS.create_decimal(repr(number)).normalize(_FIFTEEN_DIGITS)).replace("E", "e")


def exact_digits(number: int | float) -> str:
    """The digits before the point of a number as it is written, not as the double holds it: 1 and 23 zeros for 1e23."""
    return format(abs(Decimal(repr(float(number)))), "f").partition(".")[0]


def to_text(value: Any, pretty: bool = False) -> str:
    """``$string`` of a JSON value: a string as it is, anything else as JSON, one member a line if ``pretty``.

    Raises ``D3001`` for a number that is not finite.
    """
    if isinstance(value, str):
        return _finite(value)
    return _json(value, "\n" if pretty else "")


def _json(value: Any, line: str) -> str:
    """JSON text; ``line`` begins each line (a line feed and the indent so far), or is empty for one line in all."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, str):
        return _quoted(_finite(value))
    deeper = line and line + _INDENT
    if isinstance(value, dict):
        colon = ": " if line else ":"
        members = [_quoted(key) + colon + _json(item, deeper) for key, item in value.items()]
        return _enclosed("{", members, "}", line, deeper)
    return _enclosed("[", [_json(item, deeper) for item in value], "]", line, deeper)


def _finite(text: str) -> str:
    if text in NOT_FINITE:
        raise FunctionError("D3001: Attempting to invoke string function on Infinity or NaN")
    return text


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _enclosed(opening: str, members: list[str], closing: str, line: str, deeper: str) -> str:
    if not members:
        return opening + closing
    return f"{opening}{deeper}{f',{deeper}'.join(members)}{line}{closing}"
