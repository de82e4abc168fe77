"""The named parts of record types: TypedDict, dataclass, named tuple, pydantic model."""

from __future__ import annotations

import dataclasses
import functools
import sys
from typing import Any, NotRequired, Required, get_args, get_origin, get_type_hints


def shape(cls: Any) -> dict[str, Any] | None:
    """Names and annotations of the parts of a record type; None when ``cls`` is no record type.

    ``class Row(TypedDict): id: int`` has the shape ``{"id": int}``.
    """
    try:
        return _shape(cls)
    except TypeError:  # not hashable, so no class
        return None


@functools.cache
def _shape(cls: Any) -> dict[str, Any] | None:
    if not isinstance(cls, type):
        return None
    if (
        is_typed_dict(cls)
        or dataclasses.is_dataclass(cls)
        or (issubclass(cls, tuple) and hasattr(cls, "_fields"))
    ):
        return {name: _without_qualifier(hint) for name, hint in hints(cls).items()}
    if _is_pydantic_model(cls):
        return {name: info.annotation for name, info in cls.model_fields.items()}  # type: ignore[attr-defined]
    return None


def is_typed_dict(cls: type) -> bool:
    """Whether ``cls`` is a TypedDict, of ``typing`` or (as pydantic asks before 3.12) of ``typing_extensions``."""
    return issubclass(cls, dict) and hasattr(cls, "__required_keys__")


def _is_pydantic_model(cls: type) -> bool:
    """Whether ``cls`` is a pydantic model, without importing pydantic: where nobody did, there is none."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and issubclass(cls, pydantic.BaseModel)


def hints(annotated: Any) -> dict[str, Any]:
    """The annotations of a class or function with strings resolved; those that do not resolve become ``Any``."""
    try:
        return get_type_hints(annotated, include_extras=True)
    except (
        Exception
    ):  # a name that exists for type checkers only: any exception may come out of an annotation
        return {
            name: _resolved(hint, annotated)
            for name, hint in getattr(annotated, "__annotations__", {}).items()
        }


def _resolved(hint: Any, owner: Any) -> Any:
    if not isinstance(hint, str):
        return hint
    module = sys.modules.get(owner.__module__)
    names = dict(getattr(owner, "__globals__", vars(module) if module else {}))
    code = getattr(owner, "__code__", None)
    for name, cell in zip(
        code.co_freevars if code else (), getattr(owner, "__closure__", None) or (), strict=True
    ):
        names.setdefault(name, cell.cell_contents)
    try:
        return eval(hint, names)
    except Exception:  # as above
        return Any


def _without_qualifier(hint: Any) -> Any:
    while get_origin(hint) in (Required, NotRequired):
        hint = get_args(hint)[0]
    return hint


def required_keys(typed_dict: Any) -> set[str]:
    """Keys that every value of a TypedDict has."""
    return set(typed_dict.__required_keys__)


def part_names(cls: type) -> list[str]:
    """Names of the parts of a record type."""
    return list(shape(cls) or ())


def has_open_parts(cls: type) -> bool:
    """Whether values of a record type may have parts that its shape does not name."""
    if _is_pydantic_model(cls):
        return bool(cls.model_config.get("extra") == "allow")  # type: ignore[attr-defined]
    return hasattr(cls, "__getattr__")
