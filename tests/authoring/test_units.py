"""Durations and sizes as users write them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stepweave.authoring.units import mebibytes, seconds


@pytest.mark.parametrize(
    "given, expected",
    [(90, 90), (0.2, 1), ("90s", 90), ("15m", 900), ("1.5h", 5400), (" 2 d ", 172_800), ("10min", 600),
     (timedelta(minutes=2), 120), (timedelta(milliseconds=1), 1)],
)  # fmt: skip
def test_a_duration_is_whole_seconds(given: Any, expected: int) -> None:
    assert seconds(given) == expected


@pytest.mark.parametrize(
    "given, expected",
    [(512, 512), ("512MiB", 512), ("60GiB", 61_440), ("1TiB", 1_048_576), ("1GB", 954), ("1.5 gib", 1536)],
)
def test_a_size_is_whole_mebibytes(given: Any, expected: int) -> None:
    assert mebibytes(given) == expected


@pytest.mark.parametrize(
    "given", ["", "6", "6 hours", "-1s", -1, True, None, float("nan"), float("inf"), [1]]
)
@pytest.mark.parametrize("read", [seconds, mebibytes])
def test_what_cannot_be_read_is_answered_with_the_accepted_forms(read: Any, given: Any) -> None:
    with pytest.raises(ValueError, match="a number of"):
        read(given)
