"""The functions that JSONata calls in Python: those that Step Functions adds, and those that it evaluates its own way.

Every difference from JSONata 2.0.6 was measured on Step Functions (docs/decisions/jsonata.md).
"""

from __future__ import annotations

import binascii
import inspect
import math
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Final

from jlens import Expression as Compiled

from stepweave.engine import functions, jsonata_arithmetic
from stepweave.engine.jsonata_calls import UNDEFINED, FunctionError, Signature, mismatch, signature, unpacked
from stepweave.engine.jsonata_text import exact_digits, to_text

generator: Final[ContextVar[Random]] = ContextVar("generator")
"""Where the evaluation that runs takes its random numbers."""

HOST: Final = "__"
"""Name under which an expression calls :func:`call`; no variable of a state machine begins with an underscore."""

_EXACT = 2**53
"""From here on a double may hold other digits than those a number is written with."""

_LONGEST = 308
"""Digits of the longest whole numbers of which all with that many are doubles."""

_OFFSET = re.compile(r"[+-]?\d+")
_ESCAPE = re.compile(rb"%(..)", re.DOTALL)
_MALFORMED_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Function:
    """A function that expressions call by :func:`call`."""

    signature: Signature
    implementation: Callable[..., Any]
    passed: int
    """Number of arguments that it is called with by functions such as ``$map``."""
    nullable: bool = False
    """Whether it may give null, and so answers with an object that holds its value."""


def call(name: str, count: int, members: Mapping[str, Any], context: Callable[[], Any] | None = None) -> Any:
    """The result of function ``name`` for packed arguments; None for undefined."""
    given = unpacked(count, members)
    if name == "&":
        return "".join("" if value is UNDEFINED else to_text(value) for value in given)
    function = FUNCTIONS.get(name)
    if function is None:
        result = jsonata_arithmetic.evaluate(name, given)
    elif name == "hash" and count <= len(function.signature.parameters):
        result = functions.digest(given)
    else:
        result = function.implementation(*function.signature.bind(given, context))
    if function is not None and function.nullable:
        return {} if result is UNDEFINED else {"v": result}
    return None if result is UNDEFINED else result


# The library asks for the signature of what it registers, once for each expression; computed anew it takes 30 µs.
call.__signature__ = inspect.signature(call)  # type: ignore[attr-defined]


def _string(value: Any, pretty: Any) -> Any:
    return UNDEFINED if value is UNDEFINED else to_text(value, pretty is True)


def _substring(text: Any, start: Any, length: Any) -> Any:
    """A part of a text, which on Step Functions may begin or end in the middle of a character beyond U+FFFF.

    Positions count UTF-16 units from the end and characters from the start, and the length is that of as many
    characters at the start of the text; without a length it is the number of units, which often is too many.
    """
    if text is UNDEFINED:
        return UNDEFINED
    units = text.encode("utf-16-le", "surrogatepass")
    size = len(units) // 2
    first = 0 if start is UNDEFINED or size + start < 0 else int(start)
    if length is not UNDEFINED and length <= 0:
        return ""
    if size == len(text):
        first = first if first >= 0 else size + first
        return text[first:] if length is UNDEFINED else text[first : first + int(length)]
    if first >= len(text):
        return ""
    begin = _units_of(text, first if first >= 0 else max(len(text) + first, 0))
    end = begin + _units_of(text, size if length is UNDEFINED else min(int(length), size))
    return units[2 * begin : 2 * end].decode("utf-16-le", "replace")


def _units_of(text: str, characters: int) -> int:
    """Number of UTF-16 units in the first characters of a text; raises when it has not so many."""
    if characters > len(text):
        raise FunctionError("D3000: $substring reaches beyond the end of the string")
    return len(text[:characters].encode("utf-16-le", "surrogatepass")) // 2


def _split(text: Any, separator: Any, limit: Any) -> Any:
    """The parts of a text; its UTF-16 units for an empty separator, of which half a character is U+FFFD."""
    if text is UNDEFINED:
        return UNDEFINED
    if separator is UNDEFINED:
        raise mismatch("split", 2)
    if limit is not UNDEFINED and limit < 0:
        raise FunctionError("D3020: Third argument of split function must evaluate to a positive number")
    if separator:
        parts = text.split(separator)
    else:
        units = text.encode("utf-16-le", "surrogatepass")
        parts = [units[at : at + 2].decode("utf-16-le", "replace") for at in range(0, len(units), 2)]
    return parts if limit is UNDEFINED else parts[: int(limit)]


def _base64encode(text: Any) -> Any:
    """The base64 text of a text's UTF-8 bytes, where JSONata 2.0.6 takes one byte of each character."""
    return UNDEFINED if text is UNDEFINED else binascii.b2a_base64(text.encode(), newline=False).decode()


def _base64decode(text: Any) -> Any:
    """The text that base64 encodes as UTF-8; padding may be missing, other characters may not occur."""
    if text is UNDEFINED:
        return UNDEFINED
    try:
        padding = "" if "=" in text else "=" * (-len(text) % 4)
        return binascii.a2b_base64(text + padding, strict_mode=True).decode("utf-8", "replace")
    except ValueError as error:
        raise FunctionError(f"D3137: $base64decode cannot read {text[:80]!r}: {error}") from error


def _decode_url_component(text: Any) -> Any:
    """A text without its URL escapes; ``+`` is a blank, and what is not UTF-8 U+FFFD."""
    if text is UNDEFINED:
        return UNDEFINED
    if _MALFORMED_ESCAPE.search(text):
        raise FunctionError(f"D3140: Malformed URL passed to $decodeUrlComponent(): {text[:80]!r}")
    octets = text.replace("+", " ").encode()
    return _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), octets).decode("utf-8", "replace")


def _format_number(number: Any, picture: Any, options: Any) -> Any:
    """The library's text; the digits of a huge number are those it is written with, not those its double holds."""
    if number is UNDEFINED:
        return UNDEFINED
    document = {"n": number, "p": picture} | ({} if options is UNDEFINED else {"o": options})
    text = _number_formatter().evaluate(document)
    if abs(number) < _EXACT:
        return text
    digits = exact_digits(number)
    model = math.copysign(float(f"{'1' if len(digits) > _LONGEST else '5'}e{len(digits) - 1}"), number)
    return (
        _with_digits(_number_formatter().evaluate(document | {"n": model}), str(int(abs(model))), digits)
        or text
    )


def _with_digits(text: str, old: str, new: str) -> str | None:
    """A formatted number with other digits of the same count; None when ``old`` are not its digits as they are."""
    places = [place.start() for place in re.finditer(r"\d", text)]
    at = "".join(text[place] for place in places).find(old)
    if at < 0:
        return None
    letters = list(text)
    for place, digit in zip(places[at:], new, strict=False):
        letters[place] = digit
    return "".join(letters)


@cache
def _number_formatter() -> Compiled:
    return Compiled("$formatNumber(n, p, o)")


def _unsupported() -> Any:
    raise FunctionError("returned an unsupported result type")


def _zone(zone: Any) -> Any:
    """A time zone that the library reads: any text that is no offset is UTC."""
    return "+0000" if isinstance(zone, str) and not _OFFSET.fullmatch(zone) else zone


def _whole(number: Any) -> Any:
    """A number without its fraction."""
    return int(number) if isinstance(number, float) and number > 0 else number


def _function(
    name: str,
    types: str,
    implementation: Callable[..., Any],
    passed: int | None = None,
    nullable: bool = False,
) -> Function:
    described = signature(name, types)
    return Function(
        described, implementation, len(described.parameters) if passed is None else passed, nullable
    )


FUNCTIONS: Final[Mapping[str, Function]] = {
    function.signature.name: function
    for function in (
        _function("string", "x-b?", _string, passed=1),
        _function("substring", "s-nn?", _substring),
        _function("split", "s-sn?", _split),
        _function("base64encode", "s-", _base64encode),
        _function("base64decode", "s-", _base64decode),
        _function("decodeUrlComponent", "s-", _decode_url_component),
        _function("formatNumber", "n-so?", _format_number),
        _function("zone", "x", _zone, nullable=True),
        _function("whole", "x", _whole, nullable=True),
        _function("unsupported", "", _unsupported),
        _function("partition", "xn?", functions.partition),
        _function("range", "n?n?n?", functions.numbers),
        _function("hash", "ss?", functions.digest),
        _function("random", "n?", lambda seed: functions.random_number(generator.get(), seed)),
        _function("uuid", "", lambda: functions.uuid4(generator.get())),
        _function("parse", "s?", functions.parse, nullable=True),
    )
}
"""By name; rewritten expressions alone call ``zone``, ``whole`` and ``unsupported``."""

REPLACED: Final = frozenset(FUNCTIONS) - {"zone", "whole", "unsupported"}
"""Functions whose calls are rewritten to calls of :func:`call`."""
