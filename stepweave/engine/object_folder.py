"""`FolderObjects`: objects as files of a local folder."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stepweave.engine.object_names import (
    ASIDE,
    RESERVED,
    check_bucket,
    check_key,
    is_key,
    key_of,
    path_of,
    s3_error,
)
from stepweave.engine.objects import ObjectEntry, check_version, etag_of, no_such_bucket, no_such_key


class FolderObjects:
    """Objects as files: every bucket is a folder of ``root``, which must exist to be written to, as on AWS.

    A write is atomic (a file beside the object, moved into place). Content type and metadata, where given, lie in
    ``root/.~properties``.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = os.path.abspath(root)
        self._serial = itertools.count()
        self._etags: dict[str, tuple[int, int, str]] = {}
        """By path: the time in nanoseconds and the size for which the ETag was computed."""

    async def read(self, bucket: str, key: str, version: str | None = None) -> bytes:
        """The content of an object."""
        path = self._existing(bucket, key, version)
        with _trying(f"{key!r} of the bucket {bucket!r} cannot be read"), open(path, "rb") as file:
            return file.read()

    async def head(self, bucket: str, key: str, version: str | None = None) -> ObjectEntry:
        """What is known about an object."""
        path = self._existing(bucket, key, version)
        with _trying(f"{key!r} of the bucket {bucket!r} cannot be read"):
            return self._entry(bucket, key, path)

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
        self._bucket(bucket)
        check_key(key)
        with _trying(f"{key!r} cannot be written to the folder of the bucket {bucket!r}"):
            self._write_properties(bucket, key, content_type, metadata)
            path = self._target(bucket, key)
            self._replace(path, data, modified)
        return etag_of(data)

    async def list_objects(
        self, bucket: str, prefix: str = "", start_after: str = "", limit: int | None = None
    ) -> Sequence[ObjectEntry]:
        """The objects of a bucket, in order."""
        found = {
            key: path
            for key, path in self._files(self._bucket(bucket), prefix)
            if key.startswith(prefix) and key > start_after
        }
        with _trying(f"the folder of the bucket {bucket!r} cannot be read"):
            return [self._entry(bucket, key, found[key]) for key in sorted(found)[:limit]]

    async def delete(self, bucket: str, key: str) -> None:
        """Delete an object, and the folders that it leaves empty."""
        path = self._found(bucket, key)
        if path is None:
            return
        with _trying(f"{key!r} cannot be deleted from the folder of the bucket {bucket!r}"):
            os.unlink(path)
            self._write_properties(bucket, key, None, None)
            folder = os.path.dirname(path)
            while folder != self._bucket(bucket) and not os.listdir(folder):
                os.rmdir(folder)
                folder = os.path.dirname(folder)

    def _bucket(self, bucket: str) -> str:
        path = f"{self._root}/{check_bucket(bucket)}"
        if not os.path.isdir(path):
            raise no_such_bucket(f" Here a bucket is a folder: make {path}")
        return path

    def _found(self, bucket: str, key: str) -> str | None:
        """Where the file of an object is; None when there is none."""
        path = f"{self._bucket(bucket)}/{path_of(key)}"
        return next((place for place in (path, path + ASIDE) if os.path.isfile(place)), None)

    def _existing(self, bucket: str, key: str, version: str | None) -> str:
        path = self._found(bucket, key)
        if path is None:
            raise no_such_key()
        check_version(version)
        return path

    def _target(self, bucket: str, key: str) -> str:
        """Where the file of an object is to be; files in the way of its folders are moved aside."""
        folder = self._bucket(bucket)
        *above, _ = path_of(key).split("/")
        for name in above:
            folder = f"{folder}/{name}"
            if os.path.isfile(folder):
                os.rename(folder, folder + ASIDE)
        os.makedirs(folder, exist_ok=True)
        path = f"{self._bucket(bucket)}/{path_of(key)}"
        return path + ASIDE if os.path.isdir(path) or os.path.isfile(path + ASIDE) else path

    def _replace(self, path: str, data: bytes, modified: float | None = None) -> None:
        temporary = f"{os.path.dirname(path)}/{RESERVED}{os.getpid()}-{next(self._serial)}"
        try:
            with open(temporary, "xb") as file:
                file.write(data)
            if modified is not None:
                os.utime(temporary, (modified, modified))
            os.replace(temporary, path)
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise

    def _files(self, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
        """Key and file of the objects in the folder that holds the keys with ``prefix``."""
        above, slash, _ = prefix.rpartition("/")
        top = f"{bucket}/{path_of(above)}" if slash and above else bucket
        for folder, _, names in os.walk(top):
            for name in names:
                path = f"{folder}/{name}"
                if not name.startswith(RESERVED) and is_key(key := key_of(os.path.relpath(path, bucket))):
                    yield key, path

    def _entry(self, bucket: str, key: str, path: str) -> ObjectEntry:
        status = os.stat(path)
        seen = self._etags.get(path)
        if seen is None or seen[:2] != (status.st_mtime_ns, status.st_size):
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            seen = self._etags[path] = (status.st_mtime_ns, status.st_size, f'"{digest}"')
        properties = self._properties(bucket, key)
        return ObjectEntry(key=key, size=status.st_size, modified=status.st_mtime, etag=seen[2], **properties)

    def _properties_path(self, bucket: str, key: str) -> str:
        name = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
        return f"{self._root}/{RESERVED}properties/{bucket}/{name}.json"

    def _properties(self, bucket: str, key: str) -> dict[str, Any]:
        try:
            with open(self._properties_path(bucket, key), encoding="utf-8") as file:
                found: dict[str, Any] = json.load(file)
        except FileNotFoundError:
            return {}
        return found

    def _write_properties(
        self, bucket: str, key: str, content_type: str | None, metadata: Mapping[str, str] | None
    ) -> None:
        path = self._properties_path(bucket, key)
        properties = {"content_type": content_type, "metadata": dict(metadata or {})}
        given = {name: value for name, value in properties.items() if value}
        if given:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._replace(path, json.dumps(given, sort_keys=True).encode())
        elif os.path.exists(path):
            os.unlink(path)


@contextlib.contextmanager
def _trying(what: str) -> Iterator[None]:
    """What the operating system refuses inside is ``S3.S3Exception``."""
    try:
        yield
    except OSError as error:
        raise s3_error("S3Exception", f"{what}: {error.strerror}", 500) from error
