"""A value that a param takes, made from its JSON Schema, for people who gave one that it does not take.

{"type": "array", "items": {"type": "integer", "minimum": 3}}  ─▶  [3]
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_DEEPEST = 6
"""Schemas inside each other that are followed; one that names itself has no end."""
_SCALARS: Mapping[str, Any] = {"boolean": True, "null": None}
_TEXTS = {"date": "2026-01-31", "date-time": "2026-01-31T06:00:00Z", "time": "06:00:00Z", "duration": "PT1H"}
"""By ``format``."""


def example_of(schema: Mapping[str, Any], whole: Mapping[str, Any], depth: int = 0) -> Any:
    """What ``schema`` describes: its default where that says something, else made up.

    ``whole`` holds the definitions that it names. A text of some pattern is not found: whoever asks checks the example.
    """
    if depth > _DEEPEST:
        return None
    if schema.get("default") not in (None, [], {}):
        return schema["default"]
    if "$ref" in schema:
        named = whole.get("$defs", {}).get(str(schema["$ref"]).rpartition("/")[2], {})
        return example_of(named, whole, depth + 1)
    for among in ("enum", "examples"):
        if schema.get(among):
            return schema[among][0]
    if "const" in schema:
        return schema["const"]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            told = [one for one in schema[choice] if one.get("type") != "null"]
            return example_of(told[0], whole, depth + 1) if told else None
    return _of_type(schema, whole, depth)


def _of_type(schema: Mapping[str, Any], whole: Mapping[str, Any], depth: int) -> Any:
    match schema.get("type"):
        case "integer" | "number" as kind:
            return _number(schema, 1 if kind == "integer" else 0.5)
        case "string":
            text = _TEXTS.get(str(schema.get("format")), "text")
            return text.ljust(schema.get("minLength", 0), "t")[: schema.get("maxLength")]
        case "array":
            first = schema.get("prefixItems")
            if first:
                return [example_of(one, whole, depth + 1) for one in first]
            return [example_of(schema.get("items", {}), whole, depth + 1)] * max(1, schema.get("minItems", 1))
        case "object":
            return _object(schema, whole, depth)
        case kind:
            return _SCALARS.get(str(kind), "text")


def _number(schema: Mapping[str, Any], usual: float) -> Any:
    """``usual``, or what is nearest to it within the limits of the schema."""
    step = schema.get("multipleOf", usual)
    least = max(step, schema.get("minimum", step), schema.get("exclusiveMinimum", -math.inf) + step)
    most = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf) - step)
    return min(least, most)


def _object(schema: Mapping[str, Any], whole: Mapping[str, Any], depth: int) -> dict[str, Any]:
    members = schema.get("properties", {})
    if not members:
        values = schema.get("additionalProperties")
        return {"name": example_of(values if isinstance(values, dict) else {}, whole, depth + 1)}
    wanted = schema.get("required") or members
    return {name: example_of(members[name], whole, depth + 1) for name in members if name in wanted}
