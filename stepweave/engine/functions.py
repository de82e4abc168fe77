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
            return lambda seed=None: generator.random() if seed is None else random.Random(seed).random()
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


def uuid4(generator: random.Random) -> str:
    """A random UUID, version 4 (RFC 9562); the uuid module would cost two milliseconds of every start."""
    digits = f"{generator.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def partition(items: Any, size: Any = None) -> list[list[Any]] | None:
    """``items`` in arrays of ``size``: ``$partition([1,2,3,4], 3)`` is ``[[1,2,3],[4]]``."""
    if items is None:
        return None
    if not isinstance(size, int) or size < 1:
        raise FunctionArgumentError(
            f"$partition expects a positive whole number as its second argument, got {size!r}"
        )
    whole = items if isinstance(items, list) else [items]
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def numbers(first: Any = None, last: Any = None, step: Any = None) -> list[int]:
    """The whole numbers from ``first`` to ``last`` (included) by ``step``."""
    for value in (first, last, step):
        if isinstance(value, bool) or not isinstance(value, int):
            raise FunctionArgumentError(
                f"$range expects three whole numbers, got {first!r}, {last!r}, {step!r}"
            )
    if step == 0:
        raise FunctionArgumentError("$range expects a step other than 0")
    values = range(first, last + (1 if step > 0 else -1), step)
    if len(values) > _RANGE_ITEMS:
        raise FunctionArgumentError(f"$range makes at most {_RANGE_ITEMS} numbers, got {len(values)}")
    return list(values)


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
    return json.loads(text)
