"""``listObjectsV2`` as a task sees it.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from stepweave.engine.integrations.s3_objects import modified_text
from stepweave.engine.object_names import s3_error
from stepweave.engine.objects import ObjectEntry, Objects

MAX_KEYS = 1_000
"""Most names in one answer, same page."""

_ECHOED = ("ContinuationToken", "Delimiter", "StartAfter")


async def list_objects(objects: Objects, request: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The result of listObjectsV2: objects, and what begins alike up to the delimiter, in order."""
    bucket, prefix = request["Bucket"], request.get("Prefix", "")
    delimiter, limit = request.get("Delimiter", ""), _limit(request)
    after = _last_name(request.get("ContinuationToken"))
    start = max(request.get("StartAfter", ""), after)
    # With a delimiter many objects may be one name; without, one more object tells whether there are more.
    entries = await objects.list_objects(bucket, prefix, start, None if delimiter else limit + 1)
    names = _rolled_up(entries, prefix, delimiter, after)
    shown = list(names.items())[:limit]
    contents = [_entry(entry) for _, entry in shown if entry is not None]
    common = [{"Prefix": name} for name, entry in shown if entry is None]
    truncated = bool(limit) and len(names) > limit
    answer: dict[str, Any] = {
        "IsTruncated": truncated,
        "KeyCount": len(shown),
        "MaxKeys": limit,
        "Name": bucket,
        "Prefix": prefix,
        **{field: request[field] for field in _ECHOED if field in request},
    }
    if contents:
        answer["Contents"] = contents
    if common:
        answer["CommonPrefixes"] = common
    if truncated:
        answer["NextContinuationToken"] = _token(shown[-1][0])
    return answer


def _limit(request: Mapping[str, Any]) -> int:
    limit = int(request.get("MaxKeys", MAX_KEYS))
    if limit < 0:
        raise s3_error("S3Exception", "Argument maxKeys must be an integer between 0 and 2147483647", 400)
    return min(limit, MAX_KEYS)


def _rolled_up(
    entries: Sequence[ObjectEntry], prefix: str, delimiter: str, after: str
) -> dict[str, ObjectEntry | None]:
    """The objects by their names, or None by a name that several begin with; those after the name ``after``."""
    if not delimiter:
        return {entry.key: entry for entry in entries}
    names: dict[str, ObjectEntry | None] = {}
    for entry in entries:
        head, found, _ = entry.key[len(prefix) :].partition(delimiter)
        name = f"{prefix}{head}{found}"
        if name > after:
            names[name] = None if found else entry
    return names


def _entry(entry: ObjectEntry) -> dict[str, Any]:
    return {
        "ETag": entry.etag,
        "Key": entry.key,
        "LastModified": modified_text(entry.modified),
        "Size": entry.size,
        "StorageClass": entry.storage_class,
    }


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _last_name(token: str | None) -> str:
    """The name that the answer before ended with."""
    if not token:
        return ""
    try:
        return base64.b64decode(token, b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise s3_error("S3Exception", "The continuation token provided is incorrect", 400) from error
