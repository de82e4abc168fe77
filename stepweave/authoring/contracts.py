"""Types across an edge: can a value of the producer's annotation be one of the consumer's?

Only a match that is impossible is a mistake; whatever is unknown, generic beyond recognition or decided by the value
at run time may pass. ``int`` → ``float`` passes, ``Optional[str]`` → ``str`` passes (it may be a text), ``str`` →
``int`` does not.
"""

from __future__ import annotations

import collections.abc
import datetime
import enum
import inspect
import pathlib
import types
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from stepweave.authoring.expressions import Kind
from stepweave.authoring.shapes import has_open_parts, is_typed_dict, part_names, required_keys, shape
from stepweave.authoring.suggest import did_you_mean
from stepweave.graph.model import Path

_LISTS = (list, tuple, collections.abc.Sequence)
_NUMBERS: dict[type, tuple[type, ...]] = {float: (int,), complex: (int, float)}
_JSON_SCALARS = (str, int, float, bool, type(None))
_FROM_TEXT = (datetime.date, datetime.time, pathlib.PurePath)
_FROM_TEXT_BY_NAME = ("Decimal", "UUID")  # classes of modules that a DAG need not import


class NoSuchPartError(Exception):
    """A path leads to a part that values of the type never have."""

    def __init__(self, what: str, advice: str | None = None) -> None:
        self.advice = advice
        super().__init__(what)


def plain(annotation: Any) -> Any:
    """The annotation without ``Annotated``, ``NewType``, ``type`` aliases and type variables; ``Any`` when unknown."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif annotation is None:
            return type(None)
        elif isinstance(annotation, (str, TypeVar)) or annotation is object:
            return Any
        else:
            return annotation


def members(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of a union; any other annotation alone."""
    annotation = plain(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(inner for member in get_args(annotation) for inner in members(member))
    return (annotation,)


def can_be(source: Any, target: Any) -> bool:
    """Whether some value annotated ``source`` may be given where ``target`` is annotated."""
    if source is target:
        return True
    return any(_may_match(one, other) for one in members(source) for other in members(target))


def _may_match(source: Any, target: Any) -> bool:
    if source is Any or target is Any:
        return True
    if get_origin(source) is Literal:
        return any(value_fits(value, target) for value in get_args(source))
    if get_origin(target) is Literal:
        return any(can_be(source, type(value)) for value in get_args(target))
    source_class, target_class = _class_of(source), _class_of(target)
    if source_class is None or target_class is None:
        return True
    if is_typed_dict(source_class) and is_typed_dict(target_class):
        return required_keys(target_class) <= set(shape(source_class) or ())
    if _is_record(source_class) and _is_record(target_class) and (shape(source_class) or shape(target_class)):
        return True
    return _classes_match(source_class, target_class) and _arguments_match(source, target)


def _class_of(annotation: Any) -> type | None:
    """The class of an annotation; None when it has none that says something about values."""
    origin = get_origin(annotation) or annotation
    if not inspect.isclass(origin) or origin is object:
        return None
    return None if getattr(origin, "_is_protocol", False) and origin not in _ABSTRACT else origin


_ABSTRACT = frozenset(
    getattr(collections.abc, name)
    for name in ("Sequence", "Mapping", "MutableMapping", "MutableSequence", "Set")
)


def _is_record(cls: type) -> bool:
    """Whether values of ``cls`` are JSON objects once stored: a dict may well be one of these."""
    return issubclass(cls, collections.abc.Mapping) or shape(cls) is not None


def _classes_match(source: type, target: type) -> bool:
    if (
        _related(source, target)
        or source in _NUMBERS.get(target, ())
        or issubclass(source, _NUMBERS.get(target, ()))
    ):
        return True
    if issubclass(source, _LISTS) and issubclass(target, _LISTS) and not issubclass(source, (str, bytes)):
        return not issubclass(target, (str, bytes))  # JSON has one kind of list
    return _is_converted(source, target) or (inspect.isabstract(source) and inspect.isabstract(target))


def _is_converted(source: type, target: type) -> bool:
    """Whether the runtime makes one of the other before it calls the task (``stepweave/runtime/coercion.py``)."""
    if issubclass(target, enum.Enum):
        return issubclass(source, _JSON_SCALARS)
    if issubclass(source, str):
        return issubclass(target, _FROM_TEXT) or target.__name__ in _FROM_TEXT_BY_NAME
    return issubclass(source, _LISTS) and issubclass(target, (set, frozenset))


def _related(one: type, other: type) -> bool:
    if {one, other} <= set(_JSON_SCALARS):
        return issubclass(one, other)  # bool → int, but not int → bool
    try:
        return issubclass(one, other) or issubclass(other, one)
    except TypeError:  # a protocol or metaclass that refuses the question
        return True


def _arguments_match(source: Any, target: Any) -> bool:
    """Whether the items of two containers may match: ``list[int]`` and ``list[str]`` may not."""
    one, other = item_types(source), item_types(target)
    if one is None or other is None:
        return True
    if len(one) != len(other) and min(len(one), len(other)) != 1:
        return False
    wide = max(len(one), len(other))
    pairs = zip(one * (wide // len(one)), other * (wide // len(other)), strict=True)
    return all(can_be(a, b) for a, b in pairs)


def item_types(annotation: Any) -> tuple[Any, ...] | None:
    """Types of the items: one for a list, several for a fixed tuple, that of the values for a mapping."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not inspect.isclass(origin) or not arguments:
        return None
    if issubclass(origin, collections.abc.Mapping):
        return arguments[1:] if len(arguments) == 2 else None
    if issubclass(origin, tuple):
        return tuple(argument for argument in arguments if argument is not Ellipsis)
    return arguments[:1] if issubclass(origin, collections.abc.Collection) and len(arguments) == 1 else None


def value_fits(value: Any, target: Any) -> bool:
    """Whether a literal value may be given where ``target`` is annotated."""
    return any(_fits(value, one) for one in members(target))


def _fits(value: Any, target: Any) -> bool:
    if target is Any:
        return True
    if get_origin(target) is Literal:
        return any(value == allowed and type(value) is type(allowed) for allowed in get_args(target))
    if not _may_match(type(value), get_origin(target) or target):
        return False
    if inspect.isclass(target) and issubclass(target, enum.Enum):
        return isinstance(value, target) or any(value == member.value for member in target)
    items = item_types(target)
    if items is None:
        return True
    parts = value.values() if isinstance(value, dict) else value
    values = list(parts) if isinstance(value, (dict, list, tuple)) else []
    if len(items) == 1:
        return all(value_fits(item, items[0]) for item in values)
    return len(values) == len(items) and all(
        value_fits(item, one) for item, one in zip(values, items, strict=True)
    )


def at_path(annotation: Any, path: Path) -> Any:
    """The annotation of the part of a value that ``path`` leads to; ``Any`` when it cannot be known.

    Raises :class:`NoSuchPartError` when no value of the type has such a part.
    """
    for key in path:
        options = [one for one in members(annotation) if one is not type(None)]
        if len(options) != 1:
            if not options:
                raise NoSuchPartError(f"None has no part {key!r}")
            return Any
        annotation = _part(options[0], key)
    return annotation


def _part(annotation: Any, key: str | int) -> Any:
    cls = get_origin(annotation) or annotation
    if not inspect.isclass(cls) or cls is Any:
        return Any
    fields = shape(cls)
    if fields is not None and isinstance(key, str):
        return _field(cls, fields, key)
    if cls in _JSON_SCALARS or issubclass(cls, bytes):
        raise NoSuchPartError(f"{type_name(annotation)} has no part {key!r}")
    arguments = get_args(annotation)
    if issubclass(cls, collections.abc.Mapping):
        return arguments[1] if len(arguments) == 2 else Any
    if issubclass(cls, (list, tuple)):
        return _item(annotation, key)
    return Any


def _field(cls: type, fields: dict[str, Any], key: str) -> Any:
    if key in fields:
        return fields[key]
    if hasattr(cls, key) or has_open_parts(cls):
        return Any
    raise NoSuchPartError(f"{cls.__name__} has no {key!r}", did_you_mean(key, part_names(cls)))


def _item(annotation: Any, key: str | int) -> Any:
    if isinstance(key, str):
        raise NoSuchPartError(f"{type_name(annotation)} has no {key!r}", "use a number: ref[0]")
    arguments, length = get_args(annotation), fixed_length(annotation)
    if length is None:
        return arguments[0] if arguments else Any
    if not -length <= key < length:
        raise NoSuchPartError(f"{type_name(annotation)} has {length} items, no [{key}]")
    return arguments[key]


def fixed_length(annotation: Any) -> int | None:
    """Number of items of ``tuple[A, B]``; None where it is not fixed."""
    annotation = plain(annotation)
    arguments = get_args(annotation)
    if get_origin(annotation) is not tuple or not arguments or Ellipsis in arguments:
        return None
    return len(arguments)


def kind_of(annotation: Any) -> Kind | None:
    """What values of the annotation are to the state machine; None when it cannot be known."""
    options = members(annotation)
    cls = get_origin(options[0]) or options[0]
    if len(options) != 1 or not inspect.isclass(cls) or cls is Any:
        return None
    if shape(cls) is not None or issubclass(cls, dict):
        return "dict"
    kinds: tuple[tuple[type, Kind], ...] = (
        (bool, "bool"), (int, "number"), (float, "number"), (str, "text"), (list, "list"), (tuple, "list"),
    )  # fmt: skip
    return next((kind for base, kind in kinds if issubclass(cls, base)), None)


def type_name(annotation: Any) -> str:
    """The annotation as one would write it."""
    if annotation is type(None):
        return "None"
    if inspect.isclass(annotation) and not get_args(annotation):
        return annotation.__name__
    return inspect.formatannotation(annotation).replace("typing.", "")
