"""Parquet files as items."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from tests.engine.maps.reading_objects import LIST, found, refusal, values_in

PARQUET = {"InputType": "PARQUET"}


def file_of(columns: dict[str, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer, **options)
    return buffer.getvalue()


def test_rows_are_objects() -> None:
    content = file_of({"name": ["ann", None], "size": [3, 2**40], "ok": [True, False]})
    assert values_in(content, **PARQUET) == [
        {"name": "ann", "size": 3, "ok": True},
        {"name": None, "size": 2**40, "ok": False},
    ]


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd"])
def test_any_compression_inside_is_read(compression: str) -> None:
    assert values_in(file_of({"x": [1] * 9}, compression=compression), **PARQUET) == [{"x": 1}] * 9


@pytest.mark.parametrize(
    "value,given",
    [
        (pyarrow.array([1.5]), 1.5),
        (pyarrow.array([float("nan")]), None),
        (pyarrow.array([float("-inf")]), None),
        (pyarrow.array([Decimal("12.50")]), 12.5),
        (pyarrow.array([Decimal("12.00")]), 12),
        (pyarrow.array([date(2025, 2, 4)]), "2025-02-04"),
        (pyarrow.array([datetime(2025, 2, 4, 1, tzinfo=UTC)]), "2025-02-04T01:00:00+00:00"),
        (pyarrow.array([90_000], pyarrow.duration("ms")), 90.0),
        (pyarrow.array([b"text"]), "text"),
        (pyarrow.array([b"\xff\x00"]), "/wA="),
        (pyarrow.array([[1, None]]), [1, None]),
        (pyarrow.array([{"a": [1.0], "b": {"c": "x"}}]), {"a": [1.0], "b": {"c": "x"}}),
        (pyarrow.array([[(1, b"x")]], pyarrow.map_(pyarrow.int64(), pyarrow.binary())), {"1": "x"}),
        (pyarrow.array([[]], pyarrow.map_(pyarrow.string(), pyarrow.int64())), {}),
        (pyarrow.array(["a"]).dictionary_encode(), "a"),
    ],
)
def test_values_become_json(value: Any, given: Any) -> None:
    (row,) = values_in(file_of({"x": value}), **PARQUET)
    assert row == {"x": given}
    assert json.loads(json.dumps(row, allow_nan=False)) == row


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b\n",
        file_of({"x": [1]})[:-20],
        file_of(
            {"x": pyarrow.array([[("k", 1), ("k", 2)]], pyarrow.map_(pyarrow.string(), pyarrow.int64()))}
        ),
    ],
)
def test_what_cannot_be_read_is_an_error_of_the_reader(content: bytes) -> None:
    assert refusal(content, **PARQUET).startswith(
        "S3://bucket/file cannot be read: it cannot be read as Parquet"
    )


def test_damaged_pages_are_an_error_of_the_reader() -> None:
    content = bytearray(file_of({"x": ["abc" * 100] * 1000}, compression="none"))
    content[4:200] = bytes(byte ^ 0xFF for byte in content[4:200])
    assert "cannot be read" in refusal(bytes(content), **PARQUET)


def test_listed_parquet_files_are_loaded() -> None:
    contents: dict[str, bytes | str] = {f"in/{number}": file_of({"x": [number]}) for number in (1, 2)}
    items = found(contents, {"Prefix": "in/"}, LIST, **PARQUET, Transformation="LOAD_AND_FLATTEN")
    assert [item.value for item in items] == [{"x": 1}, {"x": 2}]


def test_zstd_is_told_by_the_ending() -> None:
    content = pyarrow.compress(b"[1, 2]", codec="zstd", asbytes=True)
    assert values_in(content, "file.zst", InputType="JSON") == [1, 2]
    assert "it is not zstd" in refusal(b"[1, 2]", "file.zst", InputType="JSON")


def test_without_pyarrow_the_cause_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "stepweave.engine.maps.arrow", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    cause = refusal(b"", **PARQUET)
    assert "reading Parquet needs the package 'pyarrow': pip install 'stepweave[data]'" in cause
