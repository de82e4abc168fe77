"""Manifests: files that name the files to read.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from stepweave.engine.maps.items import FormatError


@dataclass(frozen=True, slots=True)
class Place:
    """An object, by its address."""

    bucket: str
    key: str
    version: str | None = None

    def __str__(self) -> str:
        """As ``$states.context.Map.Item.Source`` has it.

        https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
        """
        return f"S3://{self.bucket}/{self.key}"


def inventory(data: bytes) -> tuple[list[Place], tuple[str, ...]]:
    """The files of an S3 inventory and the names of their columns, from its ``manifest.json``.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
    """
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"it is not the manifest of an S3 inventory: {error}") from error
    kind = _text(manifest, "fileFormat")
    if kind != "CSV":
        raise FormatError(f"the S3 inventory is {kind}, only CSV is read")
    columns = tuple(name.strip() for name in _text(manifest, "fileSchema").split(","))
    bucket = _text(manifest, "destinationBucket").removeprefix("arn:aws:s3:::")
    files = manifest.get("files")
    if not isinstance(files, list):
        raise FormatError("the manifest of the S3 inventory has no files")
    return [Place(bucket, _text(file, "key")) for file in files], columns


def athena_files(data: bytes) -> list[Place]:
    """The files that the manifest of an Athena UNLOAD names, one address (``s3://bucket/key``) in a line."""
    places = []
    for line in data.decode("utf-8-sig", "replace").splitlines():
        address = line.strip().strip('"')
        if address:
            parts = urlsplit(address)
            if parts.scheme.lower() != "s3" or not parts.netloc or len(parts.path) < 2:
                raise FormatError(f"the Athena manifest names no S3 object: {address!r}")
            places.append(Place(parts.netloc, parts.path[1:]))
    return places


def _text(manifest: Any, field: str) -> str:
    value = manifest.get(field) if isinstance(manifest, Mapping) else None
    if not isinstance(value, str):
        raise FormatError(f"the manifest of the S3 inventory has no {field}")
    return value
