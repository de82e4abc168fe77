"""`answer(event, ...)`: what a mapped node runs for, written down once, so that each item reads its own.

product   every combination; the last argument varies fastest
zip       the first of each list, then the second of each
kwargs    one list of dicts, each the arguments of an item
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, cast

from stepweave.errors import CodecError, DataError, PermanentError
from stepweave.runtime.attempt import Place
from stepweave.runtime.codecs.parts import PartWriter
from stepweave.runtime.codecs.text import encode
from stepweave.runtime.events import Event, Record
from stepweave.runtime.inputs import KEYWORDS, Inputs
from stepweave.runtime.item_chunks import write_items
from stepweave.runtime.scratch import Scratch
from stepweave.stores.objects import ObjectStore

MAX_BATCHES = 40_000
"""Most invocations of one mapped node: their outcomes come back in one payload of 256 KiB
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""
MAX_FIELDS_BYTES = 200_000
"""Parts of all items that the state machine reads itself: they are one payload, less what else it holds."""
_LABEL_CHARACTERS = 100


def answer(event: Event, store: ObjectStore, prefix: str, scratch: Scratch, place: Place) -> Record:
    """``{"n": items, "b": batches}`` of the mapped node, whose items are then in the store."""
    asked = event["items"]
    task = event["task"]
    lists = {
        name: _listed(value, name, task) for name, value in Inputs(event, store, scratch).lists().items()
    }
    count = _count(lists, asked["how"], task)
    size = asked.get("batch") or 1
    batches = math.ceil(count / size)
    if batches > MAX_BATCHES:
        raise DataError(
            f"mapped task {task!r} would be invoked {batches:,} times; expected at most {MAX_BATCHES:,}; "
            f"give it batch_size={math.ceil(count / MAX_BATCHES)} or more"
        )
    texts = _texts(lists, PartWriter(store, f"{prefix}/items", scratch), task)
    items = list(_items(texts, asked["how"], task))
    more: dict[str, object] = {"batch": size}
    if asked.get("label"):
        more["labels"] = [_label(item, asked["label"], number) for number, item in enumerate(items)]
    write_items(store, prefix, items, more)
    known = {"fields": _fields(items, json.loads(asked["fields"]), task)} if "fields" in asked else {}
    return cast(Record, {"n": count, "b": batches, **known})


def _fields(items: list[dict[str, str]], wanted: list[list[Any]], task: str) -> list[dict[str, Any]]:
    """Per item, the parts that the state machine reads, by path joined by dots; what is not there is left out."""
    found = []
    for item in items:
        parts = {}
        for name, *path in wanted:
            value = json.loads(item[name]) if name in item else None
            for step in path:
                value = _member(value, step)
            if value is not None:
                parts[".".join(map(str, (name, *path)))] = value
        found.append(parts)
    size = len(json.dumps(found))
    if size > MAX_FIELDS_BYTES:
        raise DataError(
            f"mapped group {task!r}: conditions and expressions inside read {size:,} bytes of {len(items):,} items; "
            f"expected at most {MAX_FIELDS_BYTES:,}; compare smaller parts of the items, or decide in a task"
        )
    return found


def _member(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (IndexError, KeyError, TypeError):
        return None


def _listed(value: Any, name: str, task: str) -> Sequence[Any]:
    """``value`` as a sequence; ``DataError`` when it is none."""
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
        return value
    # Arrays and series of numpy, pandas, polars and pyarrow; a data frame would give its columns.
    if hasattr(value, "tolist") and not hasattr(value, "columns") and getattr(value, "ndim", 1) > 0:
        return list(value)
    what = "the list of expand_kwargs" if name == KEYWORDS else f"argument {name!r} of expand"
    raise DataError(
        f"mapped task {task!r}: {what} is a {type(value).__name__}; expected a list, a tuple or an array; "
        "return a list from the task that makes it"
    )


def _count(lists: dict[str, Sequence[Any]], how: str, task: str) -> int:
    lengths = {name: len(values) for name, values in lists.items()}
    if how == "product":
        return math.prod(lengths.values())
    if len(set(lengths.values())) > 1:
        got = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise DataError(
            f"mapped task {task!r}: the lists to zip have different lengths ({got}); expected the same; "
            "cut them to one length, or use how='product'"
        )
    return next(iter(lengths.values()), 0)


def _texts(
    lists: dict[str, Sequence[Any]], write: PartWriter, task: str
) -> dict[str, list[str | dict[str, str]]]:
    """JSON text of every member of every list; of a dict of keyword arguments, that of each argument."""
    found: dict[str, list[str | dict[str, str]]] = {}
    for name, values in lists.items():
        texts: list[str | dict[str, str]] = []
        for number, member in enumerate(values):
            if name == KEYWORDS:
                texts.append(
                    {key: _text(part, write, number, task) for key, part in _keywords(member, number, task)}
                )
            else:
                texts.append(_text(member, write, number, task))
        found[name] = texts
    return found


def _text(member: Any, write: PartWriter, number: int, task: str) -> str:
    def part(value: object, where: str) -> dict[str, Any]:
        # Only the value of a task may be named ``output``; an item is a part, whatever it is.
        return write(value, f"item {number}{where.removeprefix('value')}")

    try:
        return encode(member, part)
    except CodecError as error:
        raise PermanentError(f"an item of mapped task {task!r} cannot be stored: {error}") from error


def _keywords(member: Any, number: int, task: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(member, dict) or not all(isinstance(key, str) for key in member):
        got = "keys that are no texts" if isinstance(member, dict) else f"a {type(member).__name__}"
        raise DataError(
            f"mapped task {task!r}: item {number} of expand_kwargs: expected a dict of arguments by name, got {got}"
        )
    yield from member.items()


def _items(texts: dict[str, list[Any]], how: str, task: str) -> Iterator[dict[str, str]]:
    if how == "kwargs":
        yield from texts[KEYWORDS]
        return
    together = itertools.product(*texts.values()) if how == "product" else zip(*texts.values(), strict=True)
    for members in together:
        yield dict(zip(texts, members, strict=True))


def _label(item: dict[str, str], name: str, number: int) -> str:
    """What people call the item: an argument of that name, or that key of an argument that is a dict."""
    if name in item:
        return _shown(json.loads(item[name]))
    for text in item.values():
        value = json.loads(text) if text.startswith("{") else None
        if isinstance(value, dict) and name in value:
            return _shown(value[name])
    return str(number)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LABEL_CHARACTERS else f"{text[: _LABEL_CHARACTERS - 1]}…"
