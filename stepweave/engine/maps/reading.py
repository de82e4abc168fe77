"""Items of a Distributed Map from S3: one object, the objects that a manifest names, or a listing.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from stepweave.engine import payload
from stepweave.engine.failures import StateError
from stepweave.engine.maps.delimited import delimited_rows
from stepweave.engine.maps.formats import arrow, decompressed, json_items, json_lines
from stepweave.engine.maps.items import ITEM_READER_FAILED, FormatError, Item, item_reader_failed, items_of
from stepweave.engine.maps.manifests import Place, athena_files, inventory
from stepweave.engine.maps.reader_config import ReaderConfig, reader_config
from stepweave.engine.objects import ObjectEntry, Objects

GET_OBJECT = "s3:getObject"
LIST_OBJECTS = "s3:listObjectsV2"


async def read_items(resource: str, arguments: Any, config: Any, objects: Objects) -> list[Item]:
    """The items that an ItemReader reads; ``arguments`` and ``config`` (``ReaderConfig``) are evaluated.

    Raises ``States.ItemReaderFailed``, with a cause that says which object and why.
    """
    checked = reader_config(config)
    bucket = _argument(arguments, "Bucket")
    match resource:
        case "s3:getObject":
            version = _optional(arguments, "VersionId")
            if version is not None and checked.input_type == "PARQUET":
                raise item_reader_failed("VersionId is not supported for the InputType PARQUET.")
            parts = _object_parts(Place(bucket, _argument(arguments, "Key"), version), checked, objects)
        case "s3:listObjectsV2":
            parts = _listed_parts(bucket, _optional(arguments, "Prefix") or "", checked, objects)
        case _:
            raise item_reader_failed(
                f"An ItemReader reads with {GET_OBJECT} or {LIST_OBJECTS}, not {resource}."
            )
    items: list[Item] = []
    async for part in parts:
        items.extend(itertools.islice(part, checked.max_items - len(items)))
        if len(items) == checked.max_items:
            break
    return items


def _argument(arguments: Any, field: str) -> str:
    value = _optional(arguments, field) if isinstance(arguments, Mapping) else None
    if not value:
        raise item_reader_failed(f"The ItemReader's Arguments need {field}.")
    return value


def _optional(arguments: Mapping[str, Any], field: str) -> str | None:
    value = arguments.get(field)
    if value is not None and not isinstance(value, str):
        raise item_reader_failed(f"The ItemReader's {field} must be a string, got {payload.to_text(value)}.")
    return value


async def _object_parts(
    place: Place, config: ReaderConfig, objects: Objects
) -> AsyncIterator[Iterator[Item]]:
    """The items of an object, or of every object that it names as a manifest."""
    if config.manifest_type is None:
        yield await _items_in(place, config, objects)
        return
    data = await _content(place, objects)
    with _reading(place):
        if config.manifest_type == "ATHENA_DATA":
            files = athena_files(data)
        else:
            files, columns = inventory(data)
            config = replace(config, input_type="CSV", headers=config.headers or columns)
    for file in files:
        yield await _items_in(file, config, objects)


async def _listed_parts(
    bucket: str, prefix: str, config: ReaderConfig, objects: Objects
) -> AsyncIterator[Iterator[Item]]:
    """What is known about the listed objects, as items, or the items in them."""
    limit = None if config.flatten else config.max_items
    with _reading(f"S3://{bucket}"):
        entries = await objects.list_objects(bucket, prefix, limit=limit)
    if not config.flatten:
        yield (Item(_metadata(entry), f"S3://{bucket}") for entry in entries)
        return
    for entry in entries:
        if entry.size or not entry.key.endswith("/"):  # the console's folders are empty objects
            yield await _items_in(Place(bucket, entry.key), config, objects)


def _metadata(entry: ObjectEntry) -> dict[str, Any]:
    """An object of a listing as an item; names and types are those of the page's example and of recorded runs."""
    return {
        "Etag": entry.etag,
        "Key": entry.key,
        "LastModified": int(entry.modified),
        "Size": entry.size,
        "StorageClass": entry.storage_class,
    }


async def _items_in(place: Place, config: ReaderConfig, objects: Objects) -> Iterator[Item]:
    return _parsed_items(place, config, await _content(place, objects))


async def _content(place: Place, objects: Objects) -> bytes:
    with _reading(place):
        return await objects.read(place.bucket, place.key, place.version)


@contextlib.contextmanager
def _reading(place: Place | str) -> Iterator[None]:
    """Whatever goes wrong inside is ``States.ItemReaderFailed``, with the place in its cause."""
    try:
        yield
    except FormatError as error:
        raise item_reader_failed(f"{place} cannot be read: {error}") from error
    except StateError as error:
        if error.error == ITEM_READER_FAILED:
            raise
        raise item_reader_failed(f"{place} cannot be read: {error.cause}") from error


def _parsed_items(place: Place, config: ReaderConfig, data: bytes) -> Iterator[Item]:
    source = str(place)
    with _reading(place):
        match config.input_type:
            case "JSON":
                yield from items_of(json_items(decompressed(data, place.key), config.items_pointer), source)
                return
            case "JSONL":
                values: Iterator[Any] = json_lines(decompressed(data, place.key))
            case "CSV":
                values = delimited_rows(decompressed(data, place.key), config.delimiter, config.headers)
            case "PARQUET":
                values = arrow("Parquet").parquet_rows(data)
            case _:
                raise item_reader_failed("ReaderConfig needs InputType to read an object.")
        for value in values:
            yield Item(value, source)
