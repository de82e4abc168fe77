"""Codecs of pandas and Arrow tables: Parquet, with what pandas keeps besides (index, dtypes, attrs) in its metadata."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stepweave.runtime.codecs.source import LARGE_BYTES, Encoded, Source
from stepweave.runtime.scratch import Scratch

_SERIES_COLUMN = "values"
_COMPRESSION = "zstd"


def encode(value: Any, scratch: Scratch) -> Encoded | None:
    """A table as ``.parquet``; None when Parquet would give back something else (mixed objects, subclasses)."""
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    if type(value) is pa.Table:
        return _written(value, "arrow-parquet", value.nbytes, scratch)
    if not name.startswith("pandas.") or type(value).__name__ not in ("DataFrame", "Series"):
        return None
    if type(value).__name__ == "Series":
        if not (value.name is None or type(value.name) in (str, int)):
            return None
        frame = value.to_frame(_SERIES_COLUMN)
        return _pandas(frame, "pandas-series-parquet", scratch, {"name": value.name})
    return _pandas(value, "pandas-parquet", scratch, {})


def decode(codec: str, source: Source) -> Any:
    """The table again."""
    # Arrow would follow a pandas-like name into its dataset reader, which guesses partitions from the path.
    table = pq.ParquetFile(source.readable()).read()
    if codec == "arrow-parquet":
        return table
    frame = table.to_pandas()
    if codec == "pandas-series-parquet":
        return frame[_SERIES_COLUMN].rename(source.extra["name"])
    return frame


def _pandas(frame: Any, codec: str, scratch: Scratch, extra: dict[str, Any]) -> Encoded | None:
    if not frame.columns.is_unique or not _keeps_columns(frame.columns) or not _keeps_attrs(frame.attrs):
        return None
    try:
        table = pa.Table.from_pandas(frame)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None  # a column of mixed objects has no Arrow type
    if any(pa.types.is_nested(field.type) for field in table.schema):
        return None  # lists would come back as arrays, dicts with the keys of all rows
    if any(_is_loose(frame[name], table.schema.field(name).type) for name in frame.columns):
        return None
    return _written(table, codec, table.nbytes, scratch, extra)


def _keeps_columns(columns: Any) -> bool:
    return columns.nlevels == 1 and all(type(name) is str for name in columns)


def _keeps_attrs(attrs: Any) -> bool:
    try:
        return bool(json.loads(json.dumps(attrs)) == attrs)
    except (TypeError, ValueError):
        return False


def _is_loose(column: Any, kind: pa.DataType) -> bool:
    """Whether the column holds Python objects that Parquet would give back as others (a date as text is not one)."""
    return column.dtype == object and not (pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _written(
    table: pa.Table, codec: str, size: int, scratch: Scratch, extra: dict[str, Any] | None = None
) -> Encoded:
    if size > LARGE_BYTES:
        path = f"{scratch.fresh()}/output.parquet"
        pq.write_table(table, path, compression=_COMPRESSION)
        return Encoded(codec=codec, extension="parquet", path=path, extra=extra or {})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression=_COMPRESSION)
    return Encoded(codec=codec, extension="parquet", data=buffer.getvalue(), extra=extra or {})
