"""Codecs of polars frames and series: Parquet."""

from __future__ import annotations

import io
from typing import Any

import polars as pl

from stepweave.errors import CodecError
from stepweave.runtime.codecs.source import LARGE_BYTES, Encoded, Source
from stepweave.runtime.scratch import Scratch


def encode(value: Any, scratch: Scratch) -> Encoded | None:
    """A frame or a series as ``.parquet``; ``CodecError`` for a lazy frame, which is a plan and no data."""
    if isinstance(value, pl.LazyFrame):
        raise CodecError("a polars LazyFrame is a plan and no data; return lazy_frame.collect()")
    if type(value) is pl.Series:
        return _written(value.to_frame(), "polars-series-parquet", scratch)
    if type(value) is pl.DataFrame and value.width:
        return _written(value, "polars-parquet", scratch)
    return None


def decode(codec: str, source: Source) -> Any:
    """The frame or the series again."""
    frame = pl.read_parquet(source.readable(), glob=False)
    return frame.to_series() if codec == "polars-series-parquet" else frame


def _written(frame: pl.DataFrame, codec: str, scratch: Scratch) -> Encoded | None:
    if any(dtype == pl.Object for dtype in frame.dtypes):
        return None
    if frame.estimated_size() > LARGE_BYTES:
        path = f"{scratch.fresh()}/output.parquet"
        frame.write_parquet(path)
        return Encoded(codec=codec, extension="parquet", path=path)
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return Encoded(codec=codec, extension="parquet", data=buffer.getvalue())
