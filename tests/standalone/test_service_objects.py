"""The S3 of the services, as distributed maps read and write it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from stepweave.engine.failures import StateError
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.standalone.service_objects import ServiceObjects

T = TypeVar("T")


@pytest.fixture
def objects() -> ServiceObjects:
    services = AwsServices()
    services.prepare([{"call": "s3:createBucket", "arguments": {"Bucket": "orders"}}])
    return ServiceObjects(services)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def test_what_is_written_is_read_and_described(objects: ServiceObjects) -> None:
    etag = run(objects.write("orders", "a/b", b"x\xff", content_type="text/csv", metadata={"k": "v"}))
    assert run(objects.read("orders", "a/b")) == b"x\xff"
    head = run(objects.head("orders", "a/b"))
    assert (head.key, head.size, head.etag, head.content_type) == ("a/b", 2, etag, "text/csv")
    assert head.metadata == {"k": "v"}


def test_objects_are_listed_in_order_over_several_pages(objects: ServiceObjects) -> None:
    async def fill() -> None:
        for number in range(1005):
            await objects.write("orders", f"in/{number:04}", b"")
        await objects.write("orders", "other", b"")

    run(fill())
    keys = [entry.key for entry in run(objects.list_objects("orders", "in/"))]
    assert keys == [f"in/{number:04}" for number in range(1005)]
    later = run(objects.list_objects("orders", "in/", start_after="in/1002"))
    assert [entry.key for entry in later] == ["in/1003", "in/1004"]
    assert len(run(objects.list_objects("orders", limit=1002))) == 1002
    assert len(run(objects.list_objects("orders", limit=3))) == 3


def test_a_deleted_object_is_gone(objects: ServiceObjects) -> None:
    run(objects.write("orders", "a", b"1"))
    run(objects.delete("orders", "a"))
    run(objects.delete("orders", "a"))
    assert run(objects.list_objects("orders")) == []


@pytest.mark.parametrize(
    "bucket, error", [("orders", "S3.NoSuchKeyException"), ("gone", "S3.NoSuchBucketException")]
)
def test_what_is_absent_has_the_errors_of_s3(objects: ServiceObjects, bucket: str, error: str) -> None:
    with pytest.raises(StateError) as caught:
        run(objects.read(bucket, "a"))
    assert caught.value.error == error
    with pytest.raises(StateError) as caught:
        run(objects.head("orders", "a"))
    assert caught.value.error == "S3.NoSuchKeyException"


def test_an_s3_that_does_not_answer_is_an_error_of_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    nobody = "http://127.0.0.1:9"  # the discard port, on which nothing listens
    with pytest.raises(StateError, match="Could not connect") as caught:
        run(ServiceObjects(AwsServices(endpoint=nobody)).read("orders", "a"))
    assert caught.value.error == "S3.S3Exception"
