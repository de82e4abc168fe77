"""`follow(value, path)`: the part of a value that ``ref["a"][0].b`` means, and its native JSON for expressions."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any

from stepweave.errors import DataError
from stepweave.runtime.codecs.text import is_plain
from stepweave.runtime.events import Json


def follow(value: Any, path: Sequence[str | int], origin: str) -> Any:
    """The part of ``value`` at ``path``; ``DataError`` naming ``origin`` when there is none."""
    for index, step in enumerate(path):
        value = _step(value, step, origin, path[: index + 1])
    return value


def native(value: Any, path: Sequence[str | int], origin: str) -> Json:
    """The part of ``value`` at ``path`` as a JSON value that the state machine can compute with."""
    return _native(follow(value, path, origin), f"{origin}{shown(path)}")


def field_name(path: Sequence[str | int]) -> str:
    """Name of a part in the record's ``fields``: the steps joined by dots, ``value`` for the value as a whole."""
    return ".".join(map(str, path)) or "value"


def shown(path: Sequence[str | int]) -> str:
    """The path as it is written in Python: ``['a'][0]``."""
    return "".join(f"[{step!r}]" for step in path)


def _step(value: Any, step: str | int, origin: str, path: Sequence[str | int]) -> Any:
    if isinstance(value, Mapping):
        if step in value:
            return value[step]
        raise _missing(path, origin, f"a {type(value).__name__} with the keys {_few(list(value))}")
    try:
        return value[step]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        # `ref.name` and `ref["name"]` are the same path; an object has attributes where a dict has keys.
        if isinstance(step, str) and hasattr(value, step):
            return getattr(value, step)
    size = f" of length {len(value)}" if isinstance(value, Sequence) else ""
    raise _missing(path, origin, f"a {type(value).__name__}{size}")


def _missing(path: Sequence[str | int], origin: str, got: str) -> DataError:
    return DataError(f"{origin} has no part {shown(path)}: expected it to hold {path[-1]!r}, got {got}")


def _few(keys: list[Any]) -> str:
    names = ", ".join(repr(key) for key in keys[:8])
    return f"{names}, …" if len(keys) > 8 else names or "none"


def _native(value: Any, where: str) -> Json:
    if is_plain(value):
        return value
    if isinstance(value, float) and value - value != 0:
        raise DataError(
            f"{where} is {value!r}, which an expression cannot compute with: JSON has no such number; "
            "return None or a number instead"
        )
    if isinstance(value, enum.Enum):
        return _native(value.value, where)
    if isinstance(value, Mapping):
        return {str(key): _native(member, f"{where}[{key!r}]") for key, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_native(member, f"{where}[{index}]") for index, member in enumerate(value)]
    for attribute in ("isoformat", "tolist"):  # dates; numpy scalars and arrays
        convert = getattr(value, attribute, None)
        if callable(convert):
            return _native(convert(), where)
    for base in (bool, int, float, str):
        if isinstance(value, base):
            return base(value)
    raise DataError(
        f"{where} is a {type(value).__name__}, which an expression cannot compute with; "
        "return a number, a text, a bool, a list or a dict there"
    )
