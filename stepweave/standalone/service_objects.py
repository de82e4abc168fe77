"""`ServiceObjects`: the S3 of an `AwsServices`, for distributed maps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.object_names import s3_error
from stepweave.engine.objects import CONTENT_TYPE, ObjectEntry, no_such_bucket, no_such_key

T = TypeVar("T")

_PAGE = 1000
"""Objects of one listing: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html."""


class ServiceObjects:
    """Objects of an AWS, real or local, or of the one in this process."""

    def __init__(self, services: AwsServices) -> None:
        self._services = services

    async def read(self, bucket: str, key: str, version: str | None = None) -> bytes:
        """The content of an object."""
        found: bytes = await self._do(
            lambda s3: s3.get_object(Bucket=bucket, Key=key, **_versioned(version))["Body"].read()
        )
        return found

    async def head(self, bucket: str, key: str, version: str | None = None) -> ObjectEntry:
        """What is known about an object."""
        found = await self._do(lambda s3: s3.head_object(Bucket=bucket, Key=key, **_versioned(version)))
        return ObjectEntry(
            key=key,
            size=found["ContentLength"],
            modified=found["LastModified"].timestamp(),
            etag=found["ETag"],
            content_type=found.get("ContentType", CONTENT_TYPE),
            metadata=found.get("Metadata", {}),
        )

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
        """The ETag of the object written; S3 sets the time itself."""
        given = {"ContentType": content_type, "Metadata": dict(metadata or {})}
        more = {name: value for name, value in given.items() if value}
        answer = await self._do(lambda s3: s3.put_object(Bucket=bucket, Key=key, Body=data, **more))
        return str(answer["ETag"])

    async def list_objects(
        self, bucket: str, prefix: str = "", start_after: str = "", limit: int | None = None
    ) -> Sequence[ObjectEntry]:
        """The objects of a bucket, in order."""
        found: list[ObjectEntry] = []
        while limit is None or len(found) < limit:
            most = _PAGE if limit is None else min(_PAGE, limit - len(found))
            options = {"Prefix": prefix, "StartAfter": found[-1].key if found else start_after}
            given = {name: value for name, value in options.items() if value}
            page = await self._do(_listing(bucket, most, given))
            found += [_entry(item) for item in page.get("Contents", ())]
            if not page.get("IsTruncated"):
                break
        return found

    async def delete(self, bucket: str, key: str) -> None:
        """Delete an object."""
        await self._do(lambda s3: s3.delete_object(Bucket=bucket, Key=key))

    async def _do(self, call: Callable[[Any], T]) -> T:
        """What ``call`` gives; raises ``StateError`` with the name that Step Functions gives to an error of S3."""
        try:
            s3 = self._services.client("s3")
            return await asyncio.to_thread(call, s3) if self._services.blocking else call(s3)
        except Exception as error:
            # botocore's errors, whose classes are known only where it is loaded.
            response = getattr(error, "response", None)
            if not isinstance(response, Mapping):
                raise s3_error("S3Exception", str(error), 500) from error
            found = response.get("Error", {})
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
            if found.get("Code") == "NoSuchBucket":
                raise no_such_bucket() from error
            if found.get("Code") in ("NoSuchKey", "404"):
                raise no_such_key() from error
            raise s3_error("S3Exception", str(found.get("Message") or error), status) from error


def _listing(bucket: str, most: int, given: Mapping[str, str]) -> Callable[[Any], Any]:
    return lambda s3: s3.list_objects_v2(Bucket=bucket, MaxKeys=most, **given)


def _entry(item: Mapping[str, Any]) -> ObjectEntry:
    return ObjectEntry(
        key=item["Key"],
        size=item["Size"],
        modified=item["LastModified"].timestamp(),
        etag=item["ETag"],
        storage_class=item.get("StorageClass", "STANDARD"),
    )


def _versioned(version: str | None) -> dict[str, str]:
    return {} if version is None else {"VersionId": version}
