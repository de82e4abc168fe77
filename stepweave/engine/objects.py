"""`Objects`: what the engine needs of S3. In memory here; as a local folder in :mod:`~stepweave.engine.object_folder`.

Used by item readers and result writers of Distributed Maps (``maps/``) and by ``aws-sdk:s3`` tasks
(``integrations/s3.py``). What is absent is an error with the name that Step Functions gives it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from stepweave.engine.failures import StateError
from stepweave.engine.object_names import check_bucket, check_key, s3_error

CONTENT_TYPE = "binary/octet-stream"
"""Of an object that was written without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectEntry:
    """What S3 knows about an object."""

    key: str
    size: int
    """Bytes."""
    modified: float
    """Seconds since 1970."""
    etag: str
    """MD5 of the content, in double quotes, as S3 gives it."""
    content_type: str = CONTENT_TYPE
    metadata: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"


class Objects(Protocol):
    """Objects by bucket and key. A bucket or an object that is not there is a ``StateError`` with S3's name for it."""

    async def read(self, bucket: str, key: str, version: str | None = None) -> bytes:
        """The content of an object."""

    async def head(self, bucket: str, key: str, version: str | None = None) -> ObjectEntry:
        """What is known about an object."""

    async def write(
        self,
        bucket: str,
        key: str,
        data: bytes,
        *,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        modified: float | None = None,
    ) -> str:
        """The ETag of the object written, which replaces what is there; ``modified`` is now if not given."""

    async def list_objects(
        self, bucket: str, prefix: str = "", start_after: str = "", limit: int | None = None
    ) -> Sequence[ObjectEntry]:
        """The first ``limit`` objects with ``prefix`` after the key ``start_after``, by the bytes of their keys."""

    async def delete(self, bucket: str, key: str) -> None:
        """Delete an object; nothing happens when there is none."""


def etag_of(data: bytes) -> str:
    """The ETag of an object with this content."""
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def no_such_key() -> StateError:
    """The error of an object that does not exist."""
    return s3_error("NoSuchKeyException", "The specified key does not exist.", 404)


def no_such_bucket(hint: str = "") -> StateError:
    """The error of a bucket that does not exist."""
    return s3_error("NoSuchBucketException", f"The specified bucket does not exist.{hint}", 404)


def check_version(version: str | None) -> None:
    """Raise ``S3.S3Exception`` for any version but the only one there is here."""
    if version not in (None, "", "null"):
        raise s3_error("S3Exception", "The specified version does not exist.", 404)


class MemoryObjects:
    """Objects in memory, for tests: ``MemoryObjects({"bucket": {"key": b"content"}})``."""

    def __init__(self, buckets: Mapping[str, Mapping[str, bytes | str]] | None = None) -> None:
        self._buckets: dict[str, dict[str, tuple[bytes, ObjectEntry]]] = {}
        for bucket, contents in (buckets or {}).items():
            self._buckets[check_bucket(bucket)] = {}
            for key, content in contents.items():
                data = content.encode() if isinstance(content, str) else content
                self._put(
                    bucket, key, data, ObjectEntry(key=key, size=len(data), modified=0, etag=etag_of(data))
                )

    async def read(self, bucket: str, key: str, version: str | None = None) -> bytes:
        """The content of an object."""
        return self._get(bucket, key, version)[0]

    async def head(self, bucket: str, key: str, version: str | None = None) -> ObjectEntry:
        """What is known about an object."""
        return self._get(bucket, key, version)[1]

    async def write(
        self,
        bucket: str,
        key: str,
        data: bytes,
        *,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        modified: float | None = None,
    ) -> str:
        """The ETag of the object written."""
        entry = ObjectEntry(
            key=key,
            size=len(data),
            modified=time.time() if modified is None else modified,
            etag=etag_of(data),
            content_type=content_type or CONTENT_TYPE,
            metadata=dict(metadata or {}),
        )
        self._put(bucket, key, data, entry)
        return entry.etag

    async def list_objects(
        self, bucket: str, prefix: str = "", start_after: str = "", limit: int | None = None
    ) -> Sequence[ObjectEntry]:
        """The objects of a bucket, in order."""
        contents = self._bucket(bucket)
        keys = sorted(key for key in contents if key.startswith(prefix) and key > start_after)
        return [contents[key][1] for key in keys[:limit]]

    async def delete(self, bucket: str, key: str) -> None:
        """Delete an object."""
        self._bucket(bucket).pop(key, None)

    def _bucket(self, bucket: str) -> dict[str, tuple[bytes, ObjectEntry]]:
        if check_bucket(bucket) not in self._buckets:
            raise no_such_bucket()
        return self._buckets[bucket]

    def _get(self, bucket: str, key: str, version: str | None) -> tuple[bytes, ObjectEntry]:
        contents = self._bucket(bucket)
        if key not in contents:
            raise no_such_key()
        check_version(version)
        return contents[key]

    def _put(self, bucket: str, key: str, data: bytes, entry: ObjectEntry) -> None:
        self._bucket(bucket)[check_key(key)] = (data, entry)
