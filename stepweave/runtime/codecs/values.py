"""`store_value(value, ...) -> StoredValue`, `load_value(...)`: a task's result on its way into and out of a store."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from stepweave.errors import CodecError
from stepweave.runtime.codecs.parts import PartReader, PartWriter
from stepweave.runtime.codecs.registry import encode_arrays
from stepweave.runtime.codecs.text import Part, decode, dumps, encode
from stepweave.runtime.scratch import Scratch
from stepweave.stores.objects import ObjectStore

ENVELOPE_BYTES = 16 * 1024
"""Longest JSON text that the envelope itself carries: the value and the commit are then one atomic write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredValue:
    """A value as it was stored. Exactly one of ``text`` and ``key`` tells where it lies."""

    codec: str
    digest: str
    """SHA-256 of the content, in hexadecimal."""
    size: int
    """Bytes of the content."""
    text: str | None = None
    """JSON text, when the envelope carries it."""
    key: str | None = None
    """Object that holds it otherwise; None also for a folder."""
    part: Part = field(default_factory=dict)
    """What the codec of a file needs to read it back; empty for JSON."""


def store_value(value: object, store: ObjectStore, prefix: str, scratch: Scratch) -> tuple[StoredValue, str]:
    """Where ``value`` now lies, and its JSON text (empty when it is a file)."""
    write = PartWriter(store, prefix, scratch)
    arrays = encode_arrays(value, scratch) if type(value) is dict and value else None
    if arrays is not None:
        return _of_part(write.store(arrays, whole=True)), ""
    tree_text = encode(value, write)
    if tree_text.startswith('{"$part":'):
        return _of_part(decode(tree_text, lambda part: part)), ""
    data = tree_text.encode()
    digest = hashlib.sha256(data).hexdigest()
    if len(data) <= ENVELOPE_BYTES:
        return StoredValue(codec="json", digest=digest, size=len(data), text=tree_text), tree_text
    key = write.write_output(data, "json", digest)
    return StoredValue(codec="json", digest=digest, size=len(data), key=key), tree_text


def load_value(stored: StoredValue, store: ObjectStore, scratch: Scratch) -> Any:
    """The value again; ``CodecError`` when the content is not what was stored."""
    if stored.part:
        return PartReader(store, scratch)(stored.part)
    return decode(load_text(stored, store), PartReader(store, scratch))


def load_text(stored: StoredValue, store: ObjectStore) -> str:
    """JSON text of a value that is JSON."""
    if stored.text is not None:
        return stored.text
    data = store.get(stored.key or "")
    digest = hashlib.sha256(data).hexdigest()
    if digest != stored.digest:
        raise CodecError(
            f"object {stored.key!r} is not what was stored: expected SHA-256 {stored.digest}, got {digest}; "
            "it was changed after the task had committed it, run the task again"
        )
    return data.decode()


def _of_part(part: Part) -> StoredValue:
    # A folder has no object of its own; its digest is that of its list of files.
    digest = part.get("digest") or hashlib.sha256(dumps(part["files"]).encode()).hexdigest()
    return StoredValue(codec=part["codec"], digest=digest, size=part["size"], key=part.get("key"), part=part)
