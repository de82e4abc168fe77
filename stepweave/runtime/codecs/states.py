"""Dataclasses and pydantic models ↔ their state, field by field; nothing is validated or run on the way back.

A class whose fields have changed since its value was stored is an error, never a half-filled object.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from stepweave.errors import CodecError

_EXTRA = "__pydantic_extra__"
_FIELDS_SET = "__pydantic_fields_set__"
_PRIVATE = "__pydantic_private__"


def state_of(value: Any) -> dict[str, Any]:
    """Fields of a dataclass or a model; for a model also its extra fields, private attributes and which were set."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: getattr(value, field.name)
            for field in dataclasses.fields(value)
            if hasattr(value, field.name)
        }
    full = value.__getstate__()
    # Only fields: `__dict__` also caches computed ones. Sorted: the order of a set differs between processes.
    state = {
        name: member for name, member in full["__dict__"].items() if name in type(value).__pydantic_fields__
    }
    state[_FIELDS_SET] = sorted(full[_FIELDS_SET])
    for name in (_EXTRA, _PRIVATE):
        if full[name] is not None:
            state[name] = full[name]
    return state


def restored(cls: Any, state: dict[str, Any]) -> Any:
    """The object of class ``cls`` that had this state."""
    return _dataclass(cls, state) if dataclasses.is_dataclass(cls) else _model(cls, state)


def _dataclass(cls: Any, state: dict[str, Any]) -> Any:
    _same_fields(cls, state, (field.name for field in dataclasses.fields(cls)))
    made: Any = cls.__new__(cls)
    for name, member in state.items():
        object.__setattr__(made, name, member)
    return made


def _model(cls: Any, state: dict[str, Any]) -> Any:
    fields = {name: member for name, member in state.items() if name not in (_EXTRA, _FIELDS_SET, _PRIVATE)}
    declared = getattr(cls, "__pydantic_fields__", None)
    if declared is None:
        raise CodecError(
            f"a stored value is of class {cls.__qualname__}, which is no dataclass or model any more"
        )
    _same_fields(cls, fields, declared)
    made = cls.__new__(cls)
    made.__setstate__(
        {
            "__dict__": fields,
            _FIELDS_SET: set(state[_FIELDS_SET]),
            _EXTRA: state.get(_EXTRA),
            _PRIVATE: state.get(_PRIVATE),
        }
    )
    return made


def _same_fields(cls: type, state: dict[str, Any], declared: Iterable[str]) -> None:
    expected = set(declared)
    if set(state) != expected:
        raise CodecError(
            f"a stored {cls.__qualname__} has the fields {sorted(state)}, but the class now has {sorted(expected)}; "
            "run the task that produced it again, or give the class back its fields"
        )
