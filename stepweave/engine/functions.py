"""The functions that Step Functions adds to JSONata: $partition, $range, $hash, $random, $uuid, $parse.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from typing import Any

NAMES = ("partition", "range", "hash", "random", "uuid", "parse")

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}

_RANGE_ITEMS = 1000
"""Longest array that $range makes: the States.ArrayRange limit on the same page."""


class FunctionArgumentError(ValueError):
    """An added function was called with arguments that it does not take."""


def bind(name: str, generator: random.Random) -> Callable[..., Any]:
    """The function ``$name``; random numbers come from ``generator``."""
    match name:
        case "random":
            return lambda seed=None: _random(generator, seed)
        case "uuid":
            return lambda: uuid4(generator)
        case "partition":
            return partition
        case "range":
            return numbers
        case "hash":
            return digest
        case _:
            return parse


def _random(generator: random.Random, seed: Any) -> float:
    """A number from 0 up to 1, the same for the same ``seed``."""
    if seed is None:
        return generator.random()
    if isinstance(seed, bool) or not isinstance(seed, int | float):
        raise FunctionArgumentError(f"$random expects a number as its seed, got {seed!r}")
    return random.Random(seed).random()


def uuid4(generator: random.Random) -> str:
    """A random UUID, version 4 (RFC 9562); the uuid module would cost two milliseconds of every start."""
    digits = f"{generator.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def partition(items: Any, size: Any = None) -> list[list[Any]] | None:
    """``items`` in arrays of ``size``: ``$partition([1,2,3,4], 3)`` is ``[[1,2,3],[4]]``; nothing for none or by 0."""
    if items is None:
        return None
    if isinstance(size, bool) or not isinstance(size, int | float) or size < 0:
        raise FunctionArgumentError(
            f"$partition expects a number from 0 as its second argument, got {size!r}"
        )
    whole, step = items if isinstance(items, list) else [items], int(size)
    return [whole[start : start + step] for start in range(0, len(whole), step)] or None if step else None


def numbers(first: Any = None, last: Any = None, step: Any = None) -> list[int] | int | None:
    """The whole numbers from ``first`` to ``last`` (included) by ``step``; one is itself, as in any sequence."""
    for value in (first, last, step):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise FunctionArgumentError(f"$range expects three numbers, got {first!r}, {last!r}, {step!r}")
    start, end, by = int(first), int(last), int(step)
    if not by:
        return None
    values = range(start, end + (1 if by > 0 else -1), by)
    if len(values) > _RANGE_ITEMS:
        raise FunctionArgumentError(f"$range makes at most {_RANGE_ITEMS} numbers, got {len(values)}")
    return list(values) if len(values) > 1 else next(iter(values), None)


def digest(value: Any = None, algorithm: Any = "SHA-256") -> str | None:
    """The hexadecimal hash of a string (other values: of their JSON text)."""
    if value is None:
        return None
    if algorithm not in _ALGORITHMS:
        raise FunctionArgumentError(f"$hash expects one of {', '.join(_ALGORITHMS)}, got {algorithm!r}")
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def parse(text: Any = None) -> Any:
    """The value of a JSON text."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise FunctionArgumentError(f"$parse expects a string, got {text!r}")
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(text: str) -> None:
    raise FunctionArgumentError(f"{text} does not exist in JSON")
