"""Params that are one text, number or truth value, checked without pydantic.

Importing pydantic takes longer than everything else that tracing and starting a small DAG needs. What is simple and
right is settled here; whatever is not simple, or wrong, is left to ``validation``, which says the same and explains it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from stepweave.authoring.expressions import LARGEST_INTEGER
from stepweave.authoring.params import REQUIRED, DeclaredParam
from stepweave.graph.model import ParamSpec

_TYPES: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}

_NUMBER_LIMITS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "ge": ("minimum", lambda value, limit: value >= limit),
    "gt": ("exclusiveMinimum", lambda value, limit: value > limit),
    "le": ("maximum", lambda value, limit: value <= limit),
    "lt": ("exclusiveMaximum", lambda value, limit: value < limit),
}
_TEXT_LIMITS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "min_length": ("minLength", lambda value, limit: len(value) >= limit),
    "max_length": ("maxLength", lambda value, limit: len(value) <= limit),
}
_LIMITS = {str: _TEXT_LIMITS, int: _NUMBER_LIMITS, float: _NUMBER_LIMITS, bool: {}}


def simple_specs(params: tuple[DeclaredParam, ...]) -> tuple[ParamSpec, ...] | None:
    """The params as the graph carries them; None unless all are simple and their defaults right."""
    specs = []
    for param in params:
        default = param.declaration.default
        if not _is_simple(param) or (default is not REQUIRED and not _fits(param, default)):
            return None
        schema = _schema(param)
        specs.append(
            ParamSpec(
                name=param.name,
                default_json=None if default is REQUIRED else _text(default),
                schema_json=_text(schema),
            )
        )
    return tuple(specs)


def simple_values(params: tuple[DeclaredParam, ...], values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The params of a run, complete with defaults; None unless all params are simple and all values right."""
    complete: dict[str, Any] = {}
    for param in params:
        value = values.get(param.name, param.declaration.default)
        if not _is_simple(param) or value is REQUIRED or not _fits(param, value):
            return None
        complete[param.name] = float(value) if param.annotation is float else value
    return complete if values.keys() <= complete.keys() else None


def _is_simple(param: DeclaredParam) -> bool:
    limits = _LIMITS.get(param.annotation) if isinstance(param.annotation, type) else None
    return limits is not None and all(name in limits for name, _ in param.declaration.limits)


def _fits(param: DeclaredParam, value: Any) -> bool:
    kind, declaration = param.annotation, param.declaration
    if type(value) is not kind and not (kind is float and type(value) is int):
        return False
    if kind is str:
        if not value.isascii():  # half a surrogate pair is no text: not for us to explain
            return False
    elif not math.isfinite(value) or (type(value) is int and abs(value) > LARGEST_INTEGER):
        return False
    if declaration.enum is not None and value not in declaration.enum:
        return False
    return all(_LIMITS[kind][name][1](value, limit) for name, limit in declaration.limits)


def _schema(param: DeclaredParam) -> dict[str, Any]:
    declaration = param.declaration
    schema: dict[str, Any] = {"type": _TYPES[param.annotation]}
    schema |= {_LIMITS[param.annotation][name][0]: limit for name, limit in declaration.limits}
    if declaration.enum is not None:
        schema["enum"] = list(declaration.enum)
    if declaration.description:
        schema["description"] = declaration.description
    return schema


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
