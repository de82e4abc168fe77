"""`read_uri(uri) -> bytes`: what lies at ``s3://bucket/key``, for tasks that are given the address of their input.

An S3 trigger starts a run with such an address. A path of this machine is read as well, so that the same DAG runs on a
laptop. Credentials come from where :func:`stepweave.stores.objects.open_store` finds them; in a deployed environment
the role of a DAG may read what lies under the prefixes of its own triggers.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stepweave.errors import DataError, StoreError
from stepweave.stores.layout import checked_key
from stepweave.stores.objects import open_store

_S3 = "s3://"


def read_uri(uri: str | os.PathLike[str]) -> bytes:
    """The content of an S3 object or of a file; ``DataError`` when there is none.

    The key is everything after the bucket as it stands, since an event names it so: ``#``, ``?`` and ``%`` are
    characters like others.
    """
    text = os.fspath(uri)
    if text.startswith(_S3):
        return _read_object(text)
    if "://" in text and not text.startswith("file://"):
        raise DataError(f"cannot read {text!r}: expected s3://bucket/key, file:///path or a path")
    path = Path(unquote(urlsplit(text).path) if text.startswith("file://") else text)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"there is no file {str(path)!r}") from None


def _read_object(uri: str) -> bytes:
    bucket, _, key = uri[len(_S3) :].partition("/")
    if not bucket or not key:
        raise DataError(f"{uri!r} names no object; expected s3://bucket/key")
    try:
        checked_key(key)
    except StoreError as error:
        # S3 has such objects: the folders that its console makes, names with two slashes.
        raise DataError(
            f"{uri!r} cannot be read here: {error}; read it with boto3, or give it another key"
        ) from None
    data = open_store(_S3 + bucket).get_or_none(key)
    if data is None:
        raise DataError(f"there is no object {key!r} in the bucket {bucket!r}")
    return data
