"""Values as the text that Step Functions makes of them, in ``$string`` and around ``&``.

It differs from JSONata 2.0.6 in fractions, which are rounded down, and in control characters, which are not escaped:
measured on Step Functions by the authors of sfnx (docs/decisions/jsonata.md).
"""

from __future__ import annotations

from typing import Any, Final

from stepweave.engine.jsonata_calls import FunctionError

NOT_FINITE: Final = {"\0Infinity": "Infinity", "\0-Infinity": "-Infinity", "\0NaN": "NaN"}
"""What stands for a number that is none inside the library, which knows no such numbers, and the text it ends as."""

_WHOLE = 1e21
"""Whole numbers from here on are written with an exponent."""

_DIGITS = 15
"""Most digits of a number that is not whole."""

_LEAST_EXPONENT = -6
"""Numbers whose first digit stands further behind the point are written with an exponent."""

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
    sign = "-" if number < 0 else ""
    if float(number).is_integer():
        return sign + exact_digits(number)
    digits, scale = _decimal(number)
    if len(digits) > _DIGITS:
        scale += len(digits) - _DIGITS
        digits = str(int(digits[:_DIGITS]) + (number < 0))
    stripped = digits.rstrip("0")
    return sign + _notation(stripped, scale + len(digits) - len(stripped))


def exact_digits(number: int | float) -> str:
    """The digits before the point of a number as it is written, not as the double holds it: 1 and 23 zeros for 1e23."""
    digits, scale = _decimal(number)
    return digits + "0" * scale if scale >= 0 else digits[:scale] or "0"


def _decimal(number: int | float) -> tuple[str, int]:
    """The shortest digits that say a number, and their power of ten: ``-1.5`` is ``("15", -1)``."""
    mantissa, _, exponent = repr(abs(float(number))).partition("e")
    whole, _, fraction = mantissa.partition(".")
    return (whole + fraction).lstrip("0") or "0", int(exponent or 0) - len(fraction)


def _notation(digits: str, scale: int) -> str:
    """Digits times a power of ten, with an exponent where the digits end before the point or begin far behind it."""
    first = scale + len(digits) - 1
    if scale <= 0 and first >= _LEAST_EXPONENT:
        padded = digits.rjust(1 - scale, "0")
        return f"{padded[:scale]}.{padded[scale:]}" if scale else digits
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{rest}e{first:+d}"


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
