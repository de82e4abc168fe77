"""When failed items fail a map, and what its numbers may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepweave.engine.failures import StateError
from stepweave.engine.maps import numbers
from stepweave.engine.maps.thresholds import exceeded


@pytest.mark.parametrize(
    "failed,count,percentage,fails",
    [
        (0, 0, 0, False),
        (1, 0, 0, True),
        (3, 3, 0, False),
        (4, 3, 0, True),
        (5, 0, 50, False),
        (6, 0, 50, True),
        (10, 0, 100, False),
        (5, 0, 50.5, False),
        (5, 2, 50, True),  # either one exceeded fails
        (6, 8, 50, True),
        (2, 2, 50, False),
    ],
)
def test_so_many_of_ten_items_may_fail(failed: int, count: int, percentage: float, fails: bool) -> None:
    assert exceeded(failed, 10, count, percentage) is fails


def test_a_share_is_not_rounded() -> None:
    assert exceeded(1, 3, percentage=33.3)
    assert not exceeded(1, 3, percentage=33.34)


@pytest.mark.parametrize(
    "check,value,result",
    [
        (numbers.max_items, None, 100_000_000),
        (numbers.max_items, 7.0, 7),
        (numbers.max_items_per_batch, None, None),
        (numbers.max_items_per_batch, 3, 3),
        (numbers.max_bytes_per_batch, None, 262_144),
        (numbers.max_bytes_per_batch, 1000, 1000),
        (numbers.tolerated_count, None, 0),
        (numbers.tolerated_count, 4.0, 4),
        (numbers.tolerated_percentage, None, 0.0),
        (numbers.tolerated_percentage, 12.5, 12.5),
    ],
)
def test_numbers_that_are_taken(check: Callable[[Any], Any], value: Any, result: Any) -> None:
    assert check(value) == result


@pytest.mark.parametrize(
    "check,value,error",
    [
        (numbers.max_items, 1.5, "States.QueryEvaluationError"),
        (numbers.max_items, "1", "States.QueryEvaluationError"),
        (numbers.max_items, True, "States.QueryEvaluationError"),
        (numbers.max_items, -1, "States.ItemReaderFailed"),
        (numbers.max_items_per_batch, 0, "States.QueryEvaluationError"),
        (numbers.max_bytes_per_batch, 0, "States.QueryEvaluationError"),
        (numbers.max_bytes_per_batch, 262_145, "States.QueryEvaluationError"),
        (numbers.tolerated_count, -1, "States.Runtime"),
        (numbers.tolerated_count, [1], "States.QueryEvaluationError"),
        (numbers.tolerated_percentage, 100.1, "States.Runtime"),
        (numbers.tolerated_percentage, -0.1, "States.Runtime"),
        (numbers.tolerated_percentage, True, "States.QueryEvaluationError"),
        (numbers.tolerated_percentage, "5", "States.QueryEvaluationError"),
    ],
)
def test_numbers_that_are_not(check: Callable[[Any], Any], value: Any, error: str) -> None:
    with pytest.raises(StateError) as caught:
        check(value)
    assert caught.value.error == error
