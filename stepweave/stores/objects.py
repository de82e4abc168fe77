"""`open_store(url) -> ObjectStore`: one interface over a local folder and S3.

Every write is atomic: a reader sees the whole object or none. `create` never replaces an object, which makes it the
commit of a task (docs/decisions/stores.md has the measurements behind the two implementations). `swap` replaces one
only if nobody else did meanwhile, for the few objects that runs share.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from typing import Protocol, cast
from urllib.parse import unquote, urlsplit

from stepweave.errors import StoreError, UsageError
from stepweave.stores.local import LocalStore


class ObjectStore(Protocol):
    """Objects by key. Keys are relative, with ``/`` between their parts (see :mod:`stepweave.stores.layout`)."""

    @property
    def url(self) -> str:
        """What :func:`open_store` takes to open the same store elsewhere."""

    def get(self, key: str) -> bytes:
        """The content of an object; ``StoreError`` when there is none."""

    def get_or_none(self, key: str) -> bytes | None:
        """The content of an object, or None when there is none."""

    def put(self, key: str, data: bytes) -> None:
        """Write an object, replacing what is there."""

    def create(self, key: str, data: bytes) -> bool:
        """Write an object only if there is none; whether it was written."""

    def read(self, key: str) -> tuple[bytes, str] | None:
        """The content of an object and its entity tag, for :meth:`swap`; None when there is none."""

    def swap(self, key: str, data: bytes, expected: str | None) -> bool:
        """Replace an object only if its entity tag is ``expected`` (None: there is none); whether it was replaced.

        False may follow a success whose answer was lost: read the object to see who won.
        """

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens when there is none."""

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Key and size in bytes of every object below the folder ``prefix``, in the order of the keys."""

    def size(self, key: str) -> int | None:
        """Size of an object in bytes, or None when there is none."""

    def download(self, key: str, path: str) -> None:
        """Copy an object to a local file; its folder exists."""

    def upload(self, path: str, key: str) -> None:
        """Copy a local file to an object, replacing what is there."""

    def local_path(self, key: str) -> str | None:
        """Where the object lies as a local file (whether it exists or not); None when the store is remote."""


def open_store(url: str | os.PathLike[str]) -> ObjectStore:
    """The store at ``url``: a folder (``.stepweave``, ``file:///data``) or ``s3://bucket/prefix``.

    A folder is created with its first object. Credentials for S3 come from the environment, from the role of the
    Lambda function or the container, or from the AWS profile.
    """
    text = os.fspath(url)
    parts = urlsplit(text)
    if parts.scheme == "s3":
        if not parts.netloc:
            raise UsageError(f"store {text!r} names no bucket; expected s3://bucket or s3://bucket/prefix")
        return _open_remote(text)
    if parts.scheme == "file":
        return LocalStore(unquote(parts.path))
    if "://" in text:
        raise UsageError(
            f"store {text!r} has the unknown scheme {parts.scheme!r}; expected a folder, file:// or s3://"
        )
    if not text:
        raise UsageError("the store's address is empty; expected a folder or s3://bucket/prefix")
    return LocalStore(text)


def _open_remote(url: str) -> ObjectStore:
    # The one lazy import of this package: obstore costs 18 ms and 10 MB, which a run on a local folder need not pay.
    try:
        remote = importlib.import_module("stepweave.stores.remote")
    except ModuleNotFoundError as error:
        raise StoreError(
            f"store {url!r} needs the package {error.name!r}; pip install {error.name}"
        ) from error
    return cast(ObjectStore, remote.RemoteStore(url))
