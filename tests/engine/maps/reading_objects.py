"""Reads items of one bucket, for tests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stepweave.engine.failures import StateError
from stepweave.engine.maps.items import Item
from stepweave.engine.maps.reading import read_items
from stepweave.engine.objects import MemoryObjects

BUCKET = "bucket"
GET = "s3:getObject"
LIST = "s3:listObjectsV2"


def items_in(content: bytes | str, key: str = "file", **config: Any) -> list[Item]:
    """The items of one object."""
    return found({key: content}, {"Key": key}, **config)


def values_in(content: bytes | str, key: str = "file", **config: Any) -> list[Any]:
    """Their values."""
    return [item.value for item in items_in(content, key, **config)]


def found(
    contents: dict[str, bytes | str], arguments: dict[str, Any], resource: str = GET, **config: Any
) -> list[Item]:
    """The items of a bucket with these contents."""
    objects = MemoryObjects({BUCKET: contents})
    return asyncio.run(read_items(resource, {"Bucket": BUCKET, **arguments}, config or None, objects))


def refusal(content: bytes | str, key: str = "file", **config: Any) -> str:
    """The cause of ``States.ItemReaderFailed`` where one object cannot be read."""
    with pytest.raises(StateError) as caught:
        items_in(content, key, **config)
    assert caught.value.error == "States.ItemReaderFailed"
    return caught.value.cause or ""
