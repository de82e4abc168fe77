"""`ReaderConfig`: how an ItemReader reads, checked.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stepweave.engine.maps import numbers
from stepweave.engine.maps.delimited import DELIMITERS
from stepweave.engine.maps.items import item_reader_failed

INPUT_TYPES = ("CSV", "JSON", "JSONL", "PARQUET", "MANIFEST")
_MANIFEST_TYPES = ("ATHENA_DATA", "S3_INVENTORY")
_HEADER_LOCATIONS = ("FIRST_ROW", "GIVEN")
_TRANSFORMATIONS = ("NONE", "LOAD_AND_FLATTEN")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderConfig:
    """The fields of ``ReaderConfig``."""

    input_type: str | None = None
    """One of ``INPUT_TYPES``."""
    manifest_type: str | None = None
    """``ATHENA_DATA`` or ``S3_INVENTORY``; the latter also for the input type MANIFEST."""
    flatten: bool = False
    """``Transformation: LOAD_AND_FLATTEN``: the content of listed objects, not what is known about them."""
    delimiter: str = ","
    headers: tuple[str, ...] | None = None
    """Of a delimited file; None when its first row holds them."""
    items_pointer: str = ""
    max_items: int = numbers.MAX_ITEMS


def reader_config(given: Any) -> ReaderConfig:
    """The checked form of an evaluated ``ReaderConfig``; raises ``States.ItemReaderFailed``."""
    config = {} if given is None else given
    if not isinstance(config, Mapping):
        raise item_reader_failed("ReaderConfig must be an object.")
    input_type = _one_of(config, "InputType", INPUT_TYPES)
    manifest_type = _one_of(config, "ManifestType", _MANIFEST_TYPES)
    if input_type == "MANIFEST" and manifest_type is None:
        manifest_type = "S3_INVENTORY"
    elif manifest_type == "S3_INVENTORY" and input_type is not None:
        raise item_reader_failed("InputType cannot be specified when ManifestType is S3_INVENTORY.")
    if manifest_type == "ATHENA_DATA" and input_type not in ("CSV", "JSONL", "PARQUET"):
        raise item_reader_failed("InputType must be CSV, JSONL or PARQUET when ManifestType is ATHENA_DATA.")
    flatten = _one_of(config, "Transformation", _TRANSFORMATIONS) == "LOAD_AND_FLATTEN"
    if flatten and input_type in (None, "MANIFEST"):
        raise item_reader_failed(
            "InputType must be CSV, JSON, JSONL or PARQUET when Transformation is LOAD_AND_FLATTEN."
        )
    return ReaderConfig(
        input_type=input_type,
        manifest_type=manifest_type,
        flatten=flatten,
        delimiter=DELIMITERS[_one_of(config, "CSVDelimiter", tuple(DELIMITERS)) or "COMMA"],
        headers=_headers(config),
        items_pointer=_text(config, "ItemsPointer") or "",
        max_items=numbers.max_items(config.get("MaxItems")),
    )


def _headers(config: Mapping[str, Any]) -> tuple[str, ...] | None:
    if _one_of(config, "CSVHeaderLocation", _HEADER_LOCATIONS) != "GIVEN":
        return None
    headers = config.get("CSVHeaders")
    if not isinstance(headers, list) or not headers or not all(isinstance(name, str) for name in headers):
        raise item_reader_failed("CSVHeaders must be an array of strings when CSVHeaderLocation is GIVEN.")
    return tuple(headers)


def _one_of(config: Mapping[str, Any], field: str, allowed: tuple[str, ...]) -> str | None:
    value = _text(config, field)
    if value is not None and value not in allowed:
        raise item_reader_failed(f"{field} must be one of {', '.join(allowed)}, got {value!r}.")
    return value


def _text(config: Mapping[str, Any], field: str) -> str | None:
    value = config.get(field)
    if value is not None and not isinstance(value, str):
        raise item_reader_failed(f"{field} must be a string, got {value!r}.")
    return value
