"""The functions that Step Functions adds to JSONata: $partition, $range, $hash, $random, $uuid, $parse.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions. What they do with
missing, wrong and odd arguments was measured by the authors of sfnx and recorded on AWS by those of tiny-asl-machine
(docs/decisions/jsonata.md).
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
from typing import Any

from stepweave.engine.jsonata_calls import UNDEFINED, FunctionError, mismatch

NAMES = ("partition", "range", "hash", "random", "uuid", "parse")

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}

_RANGE_ITEMS = 1_000_000
"""Longest array that $range makes, to bound memory. AWS publishes no limit for it and made 1,001 numbers, so it has not
that of States.ArrayRange."""

_QUOTED = re.compile(r"""("(?:\\.|[^"\\])*")|'((?:\\.|[^'\\])*)'""", re.DOTALL)


def random_number(generator: random.Random, seed: Any) -> float:
    """A number from 0 up to 1, the same for the same ``seed`` (but not the one that Step Functions gives)."""
    return (generator if seed is UNDEFINED else random.Random(seed)).random()


def uuid4(generator: random.Random) -> str:
    """A random UUID, version 4 (RFC 9562); the uuid module would cost two milliseconds of every start."""
    digits = f"{generator.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def partition(items: Any, size: Any) -> Any:
    """``items`` in arrays of ``size``: ``$partition([1,2,3,4], 3)`` is ``[[1,2,3],[4]]``; all in one without a size."""
    if items is UNDEFINED:
        return UNDEFINED
    if not isinstance(items, list):
        raise FunctionError('T0412: Argument 1 of function "partition" must be an array')
    if size is UNDEFINED:
        return [items]
    if size < 0:
        raise FunctionError("D3137: Second argument must be zero or greater")
    step = int(size)
    if not step:
        return UNDEFINED
    return [items[start : start + step] for start in range(0, len(items), step)] or UNDEFINED


def numbers(first: Any, last: Any, step: Any) -> Any:
    """The whole numbers from ``first`` to ``last`` (included) by ``step``; one is itself, as in any sequence."""
    if UNDEFINED in (first, last, step) or not int(step):
        return UNDEFINED
    values = range(int(first), int(last) + (1 if step > 0 else -1), int(step))
    if len(values) > _RANGE_ITEMS:
        raise FunctionError(f"D2014: $range makes at most {_RANGE_ITEMS} numbers, not {len(values)}")
    return list(values) if len(values) > 1 else next(iter(values), UNDEFINED)


def digest(given: list[Any]) -> Any:
    """The lowercase hexadecimal hash of a text's UTF-8 bytes; nothing without a text, or without an algorithm."""
    if not given:
        raise mismatch("hash", 1)
    text, *rest = given
    if text is UNDEFINED:
        return UNDEFINED
    if not isinstance(text, str):
        raise mismatch("hash", 1)
    if not rest:
        return UNDEFINED
    (algorithm,) = rest
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        shown = "null" if algorithm is UNDEFINED else algorithm
        raise FunctionError(f"D3137: Hash algorithm '{shown}' must be one of {', '.join(_ALGORITHMS)}")
    return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def parse(text: Any) -> Any:
    """The value of a JSON text, in which strings may stand in single quotes and no key may stand twice."""
    if text is UNDEFINED:
        return UNDEFINED
    try:
        return _loads(_QUOTED.sub(_requoted, text) if "'" in text else text)
    except (ValueError, RecursionError) as error:
        raise FunctionError(f"D3120: $parse cannot read {text[:80]!r} as JSON: {error}") from error


def _loads(text: str) -> Any:
    return json.loads(
        text, parse_constant=_no_constant, parse_float=_finite, parse_int=_integer, object_pairs_hook=_object
    )


def _requoted(match: re.Match[str]) -> str:
    """A string in double quotes: one in single quotes says the same with its quotation marks escaped."""
    double, single = match.groups()
    if double is not None:
        return str(double)
    return '"' + re.sub(r'\\\'|"', lambda quote: "'" if quote[0] == "\\'" else r"\"", single) + '"'


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} does not exist in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is beyond the range of a double")
    return number


def _integer(text: str) -> int:
    _finite(text)
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key occurs twice")
    return members
