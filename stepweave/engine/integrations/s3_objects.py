"""What S3 does with one object, in the names of the ``aws-sdk`` integration; arguments are already checked.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from stepweave.engine.failures import StateError
from stepweave.engine.integrations.aws_names import sdk_member
from stepweave.engine.integrations.aws_shapes import result_of
from stepweave.engine.integrations.dates import timestamp
from stepweave.engine.object_names import s3_error
from stepweave.engine.objects import ObjectEntry, Objects, check_version, no_such_key
from stepweave.engine.payload import to_text

_ENCRYPTION = "AES256"
"""Of every object since 2023: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html."""

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


async def get_object(objects: Objects, request: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The result of getObject; a content that is not UTF-8 is base64 text."""
    bucket, key, version = request["Bucket"], request["Key"], request.get("VersionId")
    entry = await objects.head(bucket, key, version)
    _check_conditions(entry, request)
    data = await objects.read(bucket, key, version)
    found = _described(entry)
    if (part := _part(request.get("Range"), len(data))) is not None:
        first, end = part
        found["ContentRange"] = f"bytes {first}-{end - 1}/{len(data)}"
        data = data[first:end]
    body = result_of(None, data, sdk_member, timestamp)
    return {**found, "Body": body, "ContentLength": len(data)}


async def head_object(objects: Objects, request: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The result of headObject.

    A HEAD request says no more than 404: the SDK makes it NoSuchKey, also where there is no bucket
    (``ExceptionTranslationInterceptor`` in https://github.com/aws/aws-sdk-java-v2, services/s3).
    """
    try:
        entry = await objects.head(request["Bucket"], request["Key"], request.get("VersionId"))
    except StateError as error:
        raise (no_such_key() if error.error == "S3.NoSuchBucketException" else error) from error
    _check_conditions(entry, request)
    return _described(entry)


async def put_object(objects: Objects, request: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The result of putObject; ``Body`` is written as JSON, a text in quotes (recorded on AWS)."""
    bucket, key = request["Bucket"], request["Key"]
    await _check_target(objects, bucket, key, request)
    etag = await objects.write(
        bucket,
        key,
        to_text(request["Body"]).encode("utf-8", "surrogatepass") if "Body" in request else b"",
        content_type=request.get("ContentType"),
        metadata=request.get("Metadata"),
        modified=now,
    )
    return {"ETag": etag, "ServerSideEncryption": request.get("ServerSideEncryption", _ENCRYPTION)}


async def copy_object(objects: Objects, request: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The result of copyObject."""
    bucket, key = request["Bucket"], request["Key"]
    source, version = _source(request["CopySource"])
    replaced = _directive(request)
    if source == (bucket, key) and not replaced:
        raise s3_error(
            "S3Exception",
            "This copy request is illegal because it is trying to copy an object to itself without changing the"
            " object's metadata, storage class, website redirect location or encryption attributes.",
            400,
        )
    entry = await objects.head(*source, version)
    etag = await objects.write(
        bucket,
        key,
        await objects.read(*source, version),
        content_type=request.get("ContentType") if replaced else entry.content_type,
        metadata=request.get("Metadata") if replaced else entry.metadata,
        modified=now,
    )
    copied = {"ETag": etag, "LastModified": modified_text(now)}
    return {"CopyObjectResult": copied, "ServerSideEncryption": _ENCRYPTION}


async def delete_object(objects: Objects, request: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The result of deleteObject: nothing, whether there was an object or not."""
    check_version(request.get("VersionId"))
    await objects.delete(request["Bucket"], request["Key"])
    return {}


def modified_text(seconds: float) -> str:
    """A time of S3, which has whole seconds.

    >>> modified_text(1.9)
    '1970-01-01T00:00:01Z'
    """
    return timestamp(math.floor(seconds))


def _described(entry: ObjectEntry) -> dict[str, Any]:
    """What getObject and headObject say of an object; the fields are those recorded on AWS."""
    return {
        "AcceptRanges": "bytes",
        "ContentLength": entry.size,
        "ContentType": entry.content_type,
        "ETag": entry.etag,
        "LastModified": modified_text(entry.modified),
        "Metadata": dict(entry.metadata),
        "ServerSideEncryption": _ENCRYPTION,
    }


def _check_conditions(entry: ObjectEntry, request: Mapping[str, Any]) -> None:
    """Raise ``S3.S3Exception`` where ``IfMatch`` or ``IfNoneMatch`` forbid to read."""
    if "IfMatch" in request and not _names(request["IfMatch"], entry):
        raise _precondition_failed()
    if "IfNoneMatch" in request and _names(request["IfNoneMatch"], entry):
        raise s3_error("S3Exception", "null", 304)


async def _check_target(objects: Objects, bucket: str, key: str, request: Mapping[str, Any]) -> None:
    """Raise where ``IfMatch`` or ``IfNoneMatch`` forbid to write.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    if "IfMatch" not in request and "IfNoneMatch" not in request:
        return
    try:
        entry = await objects.head(bucket, key)
    except StateError:
        if "IfMatch" in request:
            raise
        return
    if "IfNoneMatch" in request or not _names(request["IfMatch"], entry):
        raise _precondition_failed()


def _names(tag: str, entry: ObjectEntry) -> bool:
    """Whether a condition names the object: ``*``, or its ETag with or without quotes."""
    return tag == "*" or tag.strip('"') == entry.etag.strip('"')


def _precondition_failed() -> StateError:
    return s3_error("S3Exception", "At least one of the pre-conditions you specified did not hold", 412)


def _part(text: str | None, size: int) -> tuple[int, int] | None:
    """First byte and end of a ``Range``; None for the whole, which is also what S3 gives for one it cannot read."""
    found = _RANGE.fullmatch(text or "")
    if found is None or found[0] == "bytes=-":
        return None
    if not found[1]:
        first, end = max(size - int(found[2]), 0), size
    else:
        first, end = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < first:
            return None
    if first >= size or first == end:
        raise s3_error("S3Exception", "The requested range is not satisfiable", 416)
    return first, end


def _source(text: str) -> tuple[tuple[str, str], str | None]:
    """Bucket and key of a ``CopySource``, and the version: ``bucket/key?versionId=…``, as part of a URL."""
    address, _, query = text.removeprefix("/").partition("?")
    bucket, _, key = unquote(address).partition("/")
    if not bucket or not key:
        raise s3_error("S3Exception", "Invalid copy source object key", 400)
    return (bucket, key), parse_qs(query).get("versionId", [None])[0]


def _directive(request: Mapping[str, Any]) -> bool:
    """Whether ``MetadataDirective`` has the metadata replaced."""
    directive = request.get("MetadataDirective", "COPY")
    if directive not in ("COPY", "REPLACE"):
        raise s3_error("S3Exception", "Unknown metadata directive.", 400)
    return bool(directive == "REPLACE")
