"""Twice the items take twice the steps, not more: counted in calls of functions, so that no clock decides."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from stepweave.engine.maps.batching import batches
from stepweave.engine.maps.delimited import delimited_rows
from stepweave.engine.maps.formats import json_items, json_lines
from stepweave.engine.maps.results import ChildResult, transformed
from stepweave.engine.maps.writing import write_results
from stepweave.engine.objects import MemoryObjects

HEADERS = ["a", "b", "c"]


def steps(work: Callable[[], Any]) -> int:
    """How many calls, of Python's functions and of those in C, ``work`` makes."""
    count = 0

    def counted(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def rows(line: bytes) -> Callable[[int], Iterable[Any]]:
    return lambda count: delimited_rows(line * count, ",", HEADERS)


def children(count: int) -> list[ChildResult]:
    return [ChildResult(status="SUCCEEDED", input=number, output=[number, number]) for number in range(count)]


def written(count: int) -> Iterable[Any]:
    objects = MemoryObjects({"bucket": {}})
    arguments = {"Bucket": "bucket", "Prefix": "p"}
    return asyncio.run(
        write_results(children(count), objects, arguments=arguments, map_run_arn="a:b", file_bytes=2_000)
    )


@pytest.mark.parametrize(
    "work",
    [
        rows(b"1,2,3\n"),
        rows(b'"1","2,2","3"\n'),
        rows(b'"1\n1",2,3\n'),
        rows(b'1,{""k"":""v""},3\n'),
        rows(b"1,a\\,b,3\n"),
        rows(b'5" disk,2,3\n'),
        lambda count: json_lines(b'{"a": 1.5}\n' * count),
        lambda count: json_items(b"[" + b",".join([b'{"a": 1.5}'] * count) + b"]"),
        lambda count: batches(range(count), 10, 1000, {"x": 1}),
        lambda count: transformed(children(count), {"Transformation": "FLATTEN"}),
        written,
    ],
    ids=["plain", "quoted", "over lines", "quotes inside", "backslashes", "stray", "lines", "array", "batches",
        "data", "files"],
)  # fmt: skip
def test_steps_grow_as_the_items(work: Callable[[int], Iterable[Any]]) -> None:
    few, many = steps(lambda: list(work(500))), steps(lambda: list(work(2_000)))
    assert many < 4.2 * few + 500
