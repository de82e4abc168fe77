"""JSON text that gives back the very value: what JSON lacks is written as an object whose first key begins with ``$``.

    None, bool, int, finite float, str, list, dict with str keys    themselves: 1.0 stays 1.0, 2**80 stays exact
    nan, inf                                                        {"$float": "nan"}
    tuple, set, frozenset, range, complex, bytes, bytearray         {"$tuple": [...]}, {"$set": [...]}, ...
    dict with other keys, or with a key that begins with "$"        {"$dict": [[key, value], ...]}
    datetime, date, time, timedelta, Decimal, UUID                  {"$datetime": "2026-01-01T00:00:00+00:00"}, ...
    Enum, dataclass, named tuple, pydantic model                    {"$dataclass": "module:Class", "state": {...}}
    numpy scalar                                                    the Python number (dates: {"$npdate": [...]})
    frames, arrays, models, files, anything that pickles            {"$part": {"codec", "key", "digest", "size", ...}}

Subclasses of the basic types (OrderedDict, defaultdict, str subclasses) come back as the basic type.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from stepweave.errors import CodecError
from stepweave.runtime.codecs.tagged import Tagger, untag

Part: TypeAlias = dict[str, Any]
"""Where a part lies: ``codec``, ``key``, ``digest`` (SHA-256), ``size`` in bytes, and what its codec adds."""

_SCALARS = frozenset({str, int, bool, type(None)})
# Kept, since `json.dumps` with arguments builds an encoder each time.
_to_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_to_ascii = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_INFINITY = float("inf")


def encode(value: object, write_part: Callable[[object, str], Part]) -> str:
    """``value`` as JSON text; ``write_part(member, where)`` stores a member that is no JSON, or raises CodecError."""
    try:
        tree = value if is_plain(value) else Tagger(write_part).tag(value, "value")
        return dumps(tree)
    except RecursionError:
        raise CodecError(
            "the value is nested too deeply, or contains itself; return a flat structure, for example a list of records"
        ) from None


def decode(text: str, read_part: Callable[[Part], object]) -> Any:
    """The value behind JSON text; ``read_part`` loads a member that was stored as a part."""
    try:
        tree = json.loads(text)
    except ValueError as error:
        raise CodecError(f"a stored value is not JSON: {error}") from error
    return untag(tree, read_part) if '"$' in text else tree


def dumps(tree: Any) -> str:
    """JSON text without white space, in the order of the keys."""
    try:
        text = _to_text(tree)
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8, only an escape
        return _to_ascii(tree)
    except ValueError as error:  # an int of more digits than Python writes
        raise CodecError(f"the value has no JSON text: {error}") from error
    return text


def is_plain(value: object) -> bool:
    """Whether JSON keeps ``value`` as it is: basic types only, finite floats, str keys without a leading ``$``."""
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is float:
        return -_INFINITY < value < _INFINITY  # type: ignore[operator]
    if kind is list:
        return all(map(is_plain, value))  # type: ignore[call-overload]
    if kind is dict:
        for key, member in value.items():  # type: ignore[attr-defined]
            if type(key) is not str or key[:1] == "$" or not is_plain(member):
                return False
        return True
    return False
