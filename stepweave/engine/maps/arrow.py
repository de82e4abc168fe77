"""Parquet files and zstd, by pyarrow: imported only where a reader needs it (``arrow`` in ``formats.py``).

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html has the limits; it does not say how
Parquet's types become JSON. Here: numbers (also decimals) are numbers, times are ISO 8601 text, bytes are text if they
are UTF-8 and base64 if not, maps are objects, what is not a number is null.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow
import pyarrow.parquet

from stepweave.engine.maps.items import FormatError

ROW_GROUP_BYTES = 256 * 1024 * 1024
"""Largest row group."""
FOOTER_BYTES = 5 * 1024 * 1024
"""Largest footer."""

_REFUSALS = (pyarrow.ArrowException, OSError, ValueError, KeyError, OverflowError)
"""What pyarrow raises for content that is damaged or that Python cannot hold: a key twice in a map, the year 20000."""


def unzstd(data: bytes) -> bytes:
    """The content of a zstd file."""
    try:
        return bytes(pyarrow.input_stream(pyarrow.py_buffer(data), compression="zstd").read())
    except OSError as error:
        raise FormatError(f"it is not zstd: {error}") from error


def parquet_rows(data: bytes) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file as objects; raises ``FormatError``."""
    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(data))
        _check_sizes(file.metadata)
        plain = all(_is_plain(column.type) for column in file.schema_arrow)
        for batch in file.iter_batches():
            rows = batch.to_pylist(maps_as_pydicts="strict")
            yield from rows if plain else map(_as_json, rows)
    except _REFUSALS as error:
        raise FormatError(f"it cannot be read as Parquet: {error}") from error


def _check_sizes(metadata: Any) -> None:
    if metadata.serialized_size > FOOTER_BYTES:
        raise FormatError(f"its footer has {metadata.serialized_size} bytes, more than {FOOTER_BYTES}")
    for index in range(metadata.num_row_groups):
        size = metadata.row_group(index).total_byte_size
        if size > ROW_GROUP_BYTES:
            raise FormatError(f"its row group {index} has {size} bytes, more than {ROW_GROUP_BYTES}")


def _is_plain(kind: Any) -> bool:
    """Whether the values of an Arrow type are JSON values as they come."""
    types = pyarrow.types
    return bool(types.is_integer(kind) or types.is_boolean(kind) or types.is_string(kind))


def _as_json(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {str(_as_json(name)): _as_json(part) for name, part in value.items()}
        case list():
            return [_as_json(part) for part in value]
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return base64.b64encode(value).decode()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case _:
            return str(value)
