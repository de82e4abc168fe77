"""JSON values → what a parameter is annotated with: ``1`` for a ``float`` is ``1.0``, a text for a ``Path`` is a path.

Only what JSON cannot say is converted, and only when the value is not of the annotated type already.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any, TypeAlias, Union, get_args, get_origin
from uuid import UUID

from stepweave.errors import DataError

Coercer: TypeAlias = Callable[[Any], Any]

_FROM_TEXT: dict[type, Coercer] = {
    dt.datetime: dt.datetime.fromisoformat,
    dt.date: dt.date.fromisoformat,
    dt.time: dt.time.fromisoformat,
    Decimal: Decimal,
    UUID: UUID,
    Path: Path,
    PurePath: PurePath,
}


@functools.lru_cache(maxsize=4096)
def coercers(function: Callable[..., Any]) -> Mapping[str, Coercer]:
    """Conversions by parameter name; parameters whose JSON values need none are absent."""
    found = {name: _coercer(hint) for name, hint in _hints(function).items()}
    return {name: coerce for name, coerce in found.items() if coerce is not None}


@functools.lru_cache(maxsize=4096)
def list_parameters(function: Callable[..., Any]) -> frozenset[str]:
    """Parameters annotated with a list, a tuple or a set (or None): they get a real one, not a lazy sequence."""
    return frozenset(name for name, hint in _hints(function).items() if _asks_for_list(hint))


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Annotations of the parameters, without those that cannot be evaluated."""
    annotations = getattr(function, "__annotations__", None) or {}
    if any(type(hint) is str for hint in annotations.values()):
        annotations = _evaluated(function, annotations)
    return {name: hint for name, hint in annotations.items() if name != "return"}


def _asks_for_list(hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is typing.Annotated:
        return _asks_for_list(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return any(map(_asks_for_list, get_args(hint)))
    return (origin or hint) in (list, tuple, set, frozenset)


def coerced(arguments: dict[str, Any], function: Callable[..., Any]) -> dict[str, Any]:
    """``arguments`` with each value as its parameter is annotated; ``DataError`` for a value that cannot be."""
    for name, coerce in coercers(function).items():
        if name in arguments:
            try:
                arguments[name] = coerce(arguments[name])
            except (ValueError, TypeError, ArithmeticError) as error:
                raise DataError(f"argument {name!r} does not fit its annotation: {error}") from error
    return arguments


def _evaluated(function: Callable[..., Any], annotations: dict[str, Any]) -> dict[str, Any]:
    """Annotations with their texts evaluated; those that cannot be (a name under TYPE_CHECKING) are left out."""
    names = getattr(function, "__globals__", {})
    evaluated = {}
    for name, hint in annotations.items():
        try:
            evaluated[name] = eval(hint, names) if type(hint) is str else hint  # the user's own annotation
        except Exception:  # whatever the user's expression raises; such a parameter gets the value as it is
            continue
    return evaluated


def _coercer(hint: Any) -> Coercer | None:
    if hint is float:
        return _float
    if hint in _FROM_TEXT:
        return _when(str, _FROM_TEXT[hint])
    if isinstance(hint, type) and get_origin(hint) is None:
        return _class_coercer(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        return _coercer(arguments[0])
    if origin in (Union, types.UnionType):
        # Only "X or None": of several types, none can be preferred.
        members = [argument for argument in arguments if argument is not types.NoneType]
        return _optional(_coercer(members[0])) if len(members) == 1 else None
    if origin in (list, tuple, set, frozenset):
        member = (
            _coercer(arguments[0]) if arguments and (origin is not tuple or arguments[1:] == (...,)) else None
        )
        return _sequence(origin, member)
    if origin is dict and len(arguments) == 2:
        return _mapping(_coercer(arguments[1]))
    return None


def _class_coercer(hint: type) -> Coercer | None:
    if hint in (tuple, set, frozenset):
        return _when(list, hint)
    if issubclass(hint, enum.Enum):
        return lambda value: value if isinstance(value, hint) else hint(value)
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and issubclass(hint, pydantic.BaseModel):
        validate: Coercer = hint.model_validate  # type: ignore[attr-defined]
        return _when(dict, validate)
    if is_dataclass(hint):
        return _when(dict, lambda value: hint(**coerced(dict(value), hint)))
    return None


def _float(value: Any) -> Any:
    return float(value) if type(value) is int else value


def _when(kind: type, convert: Coercer) -> Coercer:
    return lambda value: convert(value) if type(value) is kind else value


def _optional(inner: Coercer | None) -> Coercer | None:
    return None if inner is None else lambda value: None if value is None else inner(value)


def _sequence(kind: type, member: Coercer | None) -> Coercer | None:
    if kind is list:
        return None if member is None else _when(list, lambda value: [member(item) for item in value])
    if member is None:
        return _when(list, kind)
    return _when(list, lambda value: kind(member(item) for item in value))


def _mapping(member: Coercer | None) -> Coercer | None:
    return (
        None
        if member is None
        else _when(dict, lambda value: {key: member(item) for key, item in value.items()})
    )
