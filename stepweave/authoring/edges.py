"""Typed edges: does an argument fit the parameter that it is given to?"""

from __future__ import annotations

from typing import Any

from stepweave.authoring.contracts import can_be, item_types, members, type_name, value_fits
from stepweave.authoring.references import BROKEN, Computed, Operand, Reference

_KINDS: dict[str | None, Any] = {
    "number": float,
    "text": str,
    "bool": bool,
    "list": list,
    "dict": dict,
    "null": None,
}


def mismatch(value: Any, target: Any) -> str | None:
    """What ``value`` is, in words, when it can never be what ``target`` asks for; None when it may be.

    ``value`` is an argument of a task call: a literal, a reference, or a list or dict that holds references.
    """
    if target is Any or value is BROKEN or type(value) is target:
        return None
    if isinstance(value, Operand):
        return _operand_mismatch(value, target)
    if isinstance(value, (list, tuple, dict)):
        return _container_mismatch(value, target)
    return None if value_fits(value, target) else f"{type(value).__name__} {value!r}"


def _operand_mismatch(operand: Operand, target: Any) -> str | None:
    source = annotation_of(operand)
    if can_be(source, target):
        return None
    return f"{type_name(source)} from {operand._described()}"


def annotation_of(operand: Operand) -> Any:
    """The annotation of a reference, or what is known of a computed value."""
    if isinstance(operand, Reference):
        return operand._annotation
    kind = operand._kind() if isinstance(operand, Computed) else None
    return int | float if kind == "number" else _KINDS.get(kind, Any)


def _container_mismatch(value: Any, target: Any) -> str | None:
    options = [option for option in members(target) if can_be(type(value), option)]
    if not options:
        return f"a {type(value).__name__}"
    kinds = item_types(options[0]) if len(options) == 1 else None
    if kinds is None:
        return None
    items = list(value.items() if isinstance(value, dict) else enumerate(value))
    if len(kinds) == 1:
        kinds *= len(items)
    elif len(kinds) != len(items):
        return f"{len(items)} items"
    found = ((key, mismatch(item, kind)) for (key, item), kind in zip(items, kinds, strict=True))
    return next((f"{got} at [{key!r}]" for key, got in found if got), None)
