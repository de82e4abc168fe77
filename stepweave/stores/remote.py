"""`RemoteStore`: objects in S3 by obstore, which imports in 18 ms where boto3's S3 client takes hundreds.

Imported only by :func:`stepweave.stores.objects.open_store`. obstore's runtime does not survive ``fork`` (a child that
uses it hangs), so a forked child is refused with an error; start processes by ``spawn`` or ``forkserver``.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store

from stepweave.errors import StoreError
from stepweave.stores.layout import checked_key

_PART_BYTES = (
    16 << 20
)  # a part has 5 MiB to 5 GiB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
_ANSWER_BYTES = 1 << 30
"""Most bytes that are read by one request. obstore breaks off an answer after 30 s and asks for the rest, for no more
than three minutes: at the 90 MB/s of one connection that is 16 GB
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-design-patterns.html)."""
_CONFLICT = "ConditionalRequestConflict"
"""Code with which S3 refuses a conditional write while another write or a delete is under way. Perhaps nothing is there
afterwards, so one writes again (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html)."""
_PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_importer = os.getpid()


class RemoteStore:
    """Objects below ``s3://bucket/prefix``. Safe for many threads and processes, not across ``fork``.

    The role needs ``s3:ListBucket`` besides the actions on objects: without it S3 answers 403 for a missing object
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
    """

    __slots__ = ("_store", "_url")

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._store = S3Store.from_url(self._url, **_settings())

    @property
    def url(self) -> str:
        """``s3://bucket/prefix``."""
        return self._url

    def get(self, key: str) -> bytes:
        """The content of an object; ``StoreError`` when there is none."""
        data = self.get_or_none(key)
        if data is None:
            raise StoreError(f"no object {key!r} in the store {self._url}")
        return data

    def get_or_none(self, key: str) -> bytes | None:
        """The content of an object, or None when there is none."""
        with self._explained("read", key):
            try:
                return obstore.get(self._store, checked_key(key)).bytes().to_bytes()
            except FileNotFoundError:
                return None

    def put(self, key: str, data: bytes) -> None:
        """Write an object, replacing what is there."""
        with self._explained("write", key):
            obstore.put(self._store, checked_key(key), data, chunk_size=_PART_BYTES)

    def create(self, key: str, data: bytes) -> bool:
        """Write an object only if there is none; whether it was written.

        The request carries ``If-None-Match: *``
        (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html). After a lost answer obstore
        asks again and then finds its own object, so False means that the key holds *an* object, perhaps this one.
        """
        with self._explained("write", key):
            for pause in _PAUSES_SECONDS:
                try:
                    obstore.put(self._store, checked_key(key), data, mode="create")
                    return True
                except AlreadyExistsError as error:
                    # obstore takes a conflict for an object that is there (apache/arrow-rs-object-store#852).
                    if _CONFLICT not in str(error):
                        return False
                time.sleep(pause)
        raise StoreError(
            f"cannot write {key!r} in the store {self._url}: other writes of it were under way all the time"
        )

    def read(self, key: str) -> tuple[bytes, str] | None:
        """The content of an object and its entity tag, for :meth:`swap`; None when there is none."""
        with self._explained("read", key):
            try:
                found = obstore.get(self._store, checked_key(key))
                return found.bytes().to_bytes(), str(found.meta["e_tag"])
            except FileNotFoundError:
                return None

    def swap(self, key: str, data: bytes, expected: str | None) -> bool:
        """Replace an object only if its entity tag is ``expected`` (None: there is none); whether it was replaced.

        The request carries ``If-Match``
        (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html). False may follow a success
        whose answer was lost.
        """
        if expected is None:
            return self.create(key, data)
        with self._explained("write", key):
            try:
                obstore.put(self._store, checked_key(key), data, mode={"e_tag": expected})
            except (PreconditionError, FileNotFoundError):
                return False
        return True

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens when there is none."""
        with self._explained("delete", key), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, checked_key(key))

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Key and size in bytes of every object below the folder ``prefix``, in the order of the keys."""
        found: list[tuple[str, int]] = []
        with self._explained("list", prefix):
            for batch in obstore.list(self._store, prefix=checked_key(prefix) if prefix else None):
                found += [(meta["path"], meta["size"]) for meta in batch]
        return iter(sorted(found))

    def size(self, key: str) -> int | None:
        """Size of an object in bytes, or None when there is none."""
        with self._explained("read", key):
            try:
                return int(obstore.head(self._store, checked_key(key))["size"])
            except FileNotFoundError:
                return None

    def download(self, key: str, path: str) -> None:
        """Copy an object to a local file; its folder exists."""
        with self._explained("read", key):
            try:
                found = obstore.get(self._store, checked_key(key))
            except FileNotFoundError:
                raise StoreError(f"no object {key!r} in the store {self._url}") from None
            with open(path, "wb") as file:
                for answer in self._answers(key, found):
                    for chunk in answer.stream(min_chunk_size=_PART_BYTES):
                        file.write(chunk)

    def _answers(self, key: str, found: obstore.GetResult) -> Iterator[obstore.GetResult]:
        """The content of an object, in answers none of which takes minutes."""
        size, tag = found.meta["size"], found.meta["e_tag"]
        if size <= _ANSWER_BYTES:
            yield found
            return
        for start in range(0, size, _ANSWER_BYTES):
            options: obstore.GetOptions = {
                "range": (start, min(start + _ANSWER_BYTES, size)),
                "if_match": tag,
            }
            yield obstore.get(self._store, checked_key(key), options=options)

    def upload(self, path: str, key: str) -> None:
        """Copy a local file to an object, replacing what is there; large files go in parts."""
        with self._explained("write", key):
            obstore.put(self._store, checked_key(key), Path(path), chunk_size=_PART_BYTES)

    def local_path(self, key: str) -> None:
        """None: no object is a local file."""
        checked_key(key)

    @contextlib.contextmanager
    def _explained(self, verb: str, key: str) -> Iterator[None]:
        if os.getpid() != _importer:
            raise StoreError(
                f"cannot {verb} {key!r} in the store {self._url} from a forked process: obstore would hang; "
                "start processes by 'spawn' or 'forkserver'"
            )
        try:
            yield
        except (BaseError, OSError) as error:
            summary = str(error).split("\n", 1)[0]
            raise StoreError(f"cannot {verb} {key!r} in the store {self._url}: {summary}") from error


def _settings() -> dict[str, Any]:
    """Arguments of ``S3Store`` that the environment calls for and obstore does not read by itself."""
    settings: dict[str, Any] = {}
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint:
        settings["endpoint"] = endpoint
    if endpoint.startswith("http://"):
        settings["client_options"] = {"allow_http": True}
    if os.environ.get("AWS_PROFILE") and not os.environ.get("AWS_ACCESS_KEY_ID"):
        # A profile (SSO, assumed role) lives in files that only boto3 knows how to read.
        auth = importlib.import_module("obstore.auth.boto3")
        settings["credential_provider"] = auth.Boto3CredentialProvider()
    return settings
