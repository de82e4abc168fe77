"""Members of a value that are objects of their own, written below the task's prefix, read with their digest checked."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePath
from typing import Any

from stepweave.errors import CodecError
from stepweave.runtime.codecs.files import CODEC as PATH
from stepweave.runtime.codecs.files import decode_path, encode_path
from stepweave.runtime.codecs.registry import decode_member, encode_member
from stepweave.runtime.codecs.source import LARGE_BYTES, Encoded, Source
from stepweave.runtime.codecs.text import Part
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import output_key, part_key
from stepweave.stores.objects import ObjectStore


class PartWriter:
    """Writes the members of one value below a task's prefix."""

    __slots__ = ("_prefix", "_scratch", "_store")

    def __init__(self, store: ObjectStore, prefix: str, scratch: Scratch) -> None:
        self._store = store
        self._prefix = prefix
        self._scratch = scratch

    def __call__(self, value: object, where: str) -> Part:
        """The part of a member. Only the value itself (``where`` is ``value``) is named ``output.<ext>``."""
        whole = where == "value"
        if isinstance(value, PurePath):
            return encode_path(value, where, lambda path: self._file(path, _extension(path), whole=whole))
        return self.store(encode_member(value, where, self._scratch), whole=whole)

    def store(self, encoded: Encoded, *, whole: bool) -> Part:
        """The part of a member that its codec has written."""
        if encoded.data is None:
            part = self._file(encoded.path or "", encoded.extension, whole=whole)
        else:
            digest = hashlib.sha256(encoded.data).hexdigest()
            key = self._write(encoded.data, encoded.extension, digest, whole=whole)
            part = {"key": key, "digest": digest, "size": len(encoded.data)}
        return {"codec": encoded.codec, **part, **({"extra": encoded.extra} if encoded.extra else {})}

    def _write(self, data: bytes, extension: str, digest: str, *, whole: bool) -> str:
        if whole:
            return self.write_output(data, extension, digest)
        key = part_key(self._prefix, digest, extension)
        self._store.put(key, data)
        return key

    def write_output(self, data: bytes, extension: str, digest: str) -> str:
        """Key of the object that now holds ``data``, the value as a whole."""
        # An earlier attempt may have left, or another one may have committed, an output of that name: never touch it.
        key = output_key(self._prefix, extension)
        if not self._store.create(key, data):
            key = output_key(self._prefix, extension, digest)
            self._store.put(key, data)
        return key

    def _file(self, path: str, extension: str, *, whole: bool) -> Part:
        size = os.path.getsize(path)
        if size <= LARGE_BYTES:
            with open(path, "rb") as file:
                data = file.read()
            digest = hashlib.sha256(data).hexdigest()
            return {"key": self._write(data, extension, digest, whole=whole), "digest": digest, "size": size}
        # Named by content, since an upload in parts cannot be conditional and must not replace other content.
        digest = file_digest(path)
        key = (
            output_key(self._prefix, extension, digest)
            if whole
            else part_key(self._prefix, digest, extension)
        )
        self._store.upload(path, key)
        return {"key": key, "digest": digest, "size": size}


class PartReader:
    """Reads members back from the store that they were written to."""

    __slots__ = ("_scratch", "_store")

    def __init__(self, store: ObjectStore, scratch: Scratch) -> None:
        self._store = store
        self._scratch = scratch

    def __call__(self, part: Part) -> Any:
        """The member; ``CodecError`` when its content is not what was written."""
        if part["codec"] == PATH:
            return Path(decode_path(part, self._scratch.fresh(), self._download))
        return decode_member(part["codec"], self._source(part))

    def _source(self, part: Part) -> Source:
        extra = part.get("extra", {})
        path = self._store.local_path(part["key"])
        if part["size"] > LARGE_BYTES:
            if path is None:
                path = f"{self._scratch.fresh()}/{os.path.basename(part['key'])}"
                self._store.download(part["key"], path)
            _check(part, file_digest(path))
            return Source(path=path, extra=extra)
        data = self._store.get(part["key"])
        _check(part, hashlib.sha256(data).hexdigest())
        return Source(data=data, extra=extra)

    def _download(self, part: Part, path: str) -> None:
        self._store.download(part["key"], path)
        _check(part, file_digest(path))


def file_digest(path: str) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(part: Part, digest: str) -> None:
    if digest != part["digest"]:
        raise CodecError(
            f"object {part['key']!r} is not what was stored: expected SHA-256 {part['digest']}, got {digest}; "
            "it was changed after the task had committed it, run the task again"
        )


def _extension(path: str) -> str:
    return os.path.splitext(path)[1].removeprefix(".") or "bin"
