"""The tags of :mod:`stepweave.runtime.codecs.text`: what JSON lacks ↔ objects whose first key begins with "$"."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import enum
import importlib
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from uuid import UUID

from stepweave.errors import CodecError
from stepweave.runtime.codecs.classes import class_name, class_named
from stepweave.runtime.codecs.states import restored, state_of

_BASES: tuple[Any, ...] = (dict, list, tuple, str, int, float)
"""Subclasses of these come back as these."""

_INLINE_BYTES = 1024
"""Longest ``bytes`` that are kept inside the text."""


class Tagger:
    """Turns values into JSON trees with tags."""

    def __init__(self, write_part: Callable[[object, str], dict[str, Any]]) -> None:
        self.write_part = write_part

    def tag(self, value: Any, where: str) -> Any:
        """``value`` as a JSON tree; ``where`` names it in errors, such as ``value['rows'][3]``."""
        kind = type(value)
        if value is None or kind in (str, int, bool):
            return value
        if kind is list:
            return [self.tag(member, f"{where}[{index}]") for index, member in enumerate(value)]
        if kind is dict:
            return self._dict(value, where)
        write = _WRITERS.get(kind)
        if write is not None:
            return write(self, value, where)
        return self._by_base(value, where)

    def _dict(self, value: dict[Any, Any], where: str) -> Any:
        if all(type(key) is str and key[:1] != "$" for key in value):
            return {key: self.tag(member, f"{where}[{key!r}]") for key, member in value.items()}
        pairs = [
            [self.tag(key, f"{where} (key {key!r})"), self.tag(member, f"{where}[{key!r}]")]
            for key, member in value.items()
        ]
        return {"$dict": pairs}

    def members(self, values: Any, where: str) -> list[Any]:
        """The trees of the members of an iterable."""
        return [self.tag(member, f"{where}[{index}]") for index, member in enumerate(values)]

    def _by_base(self, value: Any, where: str) -> Any:
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.generic):
            return self._numpy_scalar(value, where)
        if isinstance(value, enum.Enum):
            return self._enum(value, where)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return {"$namedtuple": class_name(type(value), where), "items": self.members(value, where)}
        if isinstance(value, PurePath):
            return {"$part": self.write_part(value, where)}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._object("$dataclass", value, where)
        if "__pydantic_fields__" in type(value).__dict__:
            return self._object("$model", value, where)
        for base in _BASES:
            if isinstance(value, base):
                return self.tag(base(value), where)
        return {"$part": self.write_part(value, where)}

    def _enum(self, value: Any, where: str) -> dict[str, Any]:
        name = class_name(type(value), where)
        if value.name in type(value).__members__:
            return {"$enum": name, "name": value.name}
        return {"$enum": name, "value": self.tag(value.value, f"{where}.value")}  # a combination of flags

    def _object(self, tag: str, value: Any, where: str) -> dict[str, Any]:
        state = {name: self.tag(member, f"{where}.{name}") for name, member in state_of(value).items()}
        return {tag: class_name(type(value), where), "state": state}

    def _numpy_scalar(self, value: Any, where: str) -> Any:
        if value.dtype.kind in "mM":  # `item()` of nanoseconds is a bare int
            return {"$npdate": [value.dtype.str, int(value.astype("int64"))]}
        item = value.item()
        if type(item) in (bool, int, float, complex, str, bytes):
            return self.tag(item, where)
        return {"$part": self.write_part(value, where)}


def keep_as_list(kind: type) -> None:
    """Write values of ``kind`` as lists of their members."""
    _WRITERS[kind] = lambda tagger, value, where: tagger.members(value, where)


def untag(tree: Any, read_part: Callable[[dict[str, Any]], object]) -> Any:
    """The value behind a JSON tree with tags."""
    if type(tree) is list:
        return [untag(member, read_part) for member in tree]
    if type(tree) is not dict:
        return tree
    tag = next(iter(tree), "")
    if tag[:1] != "$":
        return {key: untag(member, read_part) for key, member in tree.items()}
    if tag == "$part":
        return read_part(tree[tag])
    read = _READERS.get(tag)
    if read is None:
        raise CodecError(f"a stored value has the unknown tag {tag!r}; it was written by a newer stepweave")
    rest = {name: untag(member, read_part) for name, member in tree.items() if name != tag}
    return read(untag(tree[tag], read_part), **rest)


def _write_set(tagger: Tagger, value: Any, where: str) -> dict[str, Any]:
    # Sets have no order of their own, and one value must give one text.
    members = sorted((tagger.tag(member, f"{where}{{{member!r}}}") for member in value), key=json.dumps)
    return {"$set" if isinstance(value, set) else "$frozenset": members}


def _write_bytes(tagger: Tagger, value: Any, where: str) -> dict[str, Any]:
    if len(value) > _INLINE_BYTES:
        return {"$part": tagger.write_part(value, where)}
    name = "$bytes" if isinstance(value, bytes) else "$bytearray"
    return {name: base64.b64encode(value).decode("ascii")}


def _write_moment(tagger: Tagger, value: Any, where: str) -> dict[str, Any]:
    tree: dict[str, Any] = {"$datetime" if isinstance(value, dt.datetime) else "$time": value.isoformat()}
    zone = getattr(value.tzinfo, "key", None)
    if zone is not None:  # the offset alone would lose the rules of daylight saving
        tree = {next(iter(tree)): value.replace(tzinfo=None).isoformat(), "zone": zone}
    elif value.tzinfo is not None and type(value.tzinfo) is not dt.timezone:
        raise CodecError(
            f"{where} has the time zone {value.tzinfo!r}, which cannot be stored; "
            "use zoneinfo.ZoneInfo or datetime.timezone"
        )
    if value.fold:
        tree["fold"] = value.fold
    return tree


_WRITERS: dict[type, Callable[[Tagger, Any, str], Any]] = {
    float: lambda _t, value, _w: value if value - value == 0 else {"$float": repr(value)},
    tuple: lambda tagger, value, where: {"$tuple": tagger.members(value, where)},
    set: _write_set,
    frozenset: _write_set,
    range: lambda _t, value, _w: {"$range": [value.start, value.stop, value.step]},
    complex: lambda tagger, value, where: {"$complex": tagger.members((value.real, value.imag), where)},
    bytes: _write_bytes,
    bytearray: _write_bytes,
    dt.datetime: _write_moment,
    dt.time: _write_moment,
    dt.date: lambda _t, value, _w: {"$date": value.isoformat()},
    dt.timedelta: lambda _t, value, _w: {"$timedelta": [value.days, value.seconds, value.microseconds]},
    Decimal: lambda _t, value, _w: {"$decimal": str(value)},
    UUID: lambda _t, value, _w: {"$uuid": str(value)},
}


def _in_zone(moment: Any, zone: str | None, fold: int) -> Any:
    if zone is not None:
        from zoneinfo import ZoneInfo  # rarely needed

        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.replace(fold=fold) if fold else moment


def _read_enum(cls: str, name: str | None = None, value: Any = None) -> Any:
    members = class_named(cls)
    try:
        return members(value) if name is None else members[name]
    except (KeyError, ValueError):
        raise CodecError(
            f"a stored value is {name or value!r} of {cls}, which has no such member any more"
        ) from None


def _read_numpy_date(parts: list[Any]) -> Any:
    dtype, count = parts
    return importlib.import_module("numpy").array(count, "int64").view(dtype)[()]


_READERS: dict[str, Callable[..., Any]] = {
    "$float": float,
    "$tuple": tuple,
    "$set": set,
    "$frozenset": frozenset,
    "$range": lambda bounds: range(*bounds),
    "$complex": lambda parts: complex(*parts),
    "$bytes": base64.b64decode,
    "$bytearray": lambda text: bytearray(base64.b64decode(text)),
    "$datetime": lambda text, zone=None, fold=0: _in_zone(dt.datetime.fromisoformat(text), zone, fold),
    "$time": lambda text, zone=None, fold=0: _in_zone(dt.time.fromisoformat(text), zone, fold),
    "$date": dt.date.fromisoformat,
    "$timedelta": lambda parts: dt.timedelta(*parts),
    "$decimal": Decimal,
    "$uuid": UUID,
    "$dict": dict,
    "$enum": _read_enum,
    "$namedtuple": lambda name, items: class_named(name)._make(items),
    "$dataclass": lambda name, state: restored(class_named(name), state),
    "$model": lambda name, state: restored(class_named(name), state),
    "$npdate": _read_numpy_date,
}
