"""Several items in one child.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepweave.engine.failures import StateError
from stepweave.engine.maps.batching import NO_INPUT, Batch, batches
from stepweave.engine.payload import PAYLOAD_BYTES


def size_of(batch: Batch) -> int:
    return len(json.dumps(batch.input, separators=(",", ":"), ensure_ascii=False).encode())


def test_so_many_items_go_into_a_batch() -> None:
    assert list(batches([*range(7)], max_items=3)) == [
        Batch({"Items": [0, 1, 2]}, 3),
        Batch({"Items": [3, 4, 5]}, 3),
        Batch({"Items": [6]}, 1),
    ]


def test_every_batch_has_the_batch_input_before_its_items() -> None:
    (batch,) = batches(["a"], batch_input={"x": 1})
    assert list(batch.input.items()) == [("BatchInput", {"x": 1}), ("Items", ["a"])]
    assert [batch.input for batch in batches([1], batch_input=None)] == [{"BatchInput": None, "Items": [1]}]


def test_without_items_there_are_no_batches() -> None:
    assert list(batches([], 3, batch_input=1)) == []


def test_a_batch_has_at_most_so_many_bytes_with_all_around_the_items() -> None:
    items = ["x" * 10] * 5  # 12 bytes each
    for most, counts in ((37, [2, 2, 1]), (36, [1] * 5), (50, [3, 2])):
        found = list(batches(items, max_bytes=most))
        assert [batch.count for batch in found] == counts
        assert max(map(size_of, found)) <= most
    assert [batch.count for batch in batches(items, 1, 1000)] == [1] * 5


def test_without_a_limit_a_batch_is_as_large_as_an_input() -> None:
    found = list(batches(["x" * 1000] * 600))
    assert [batch.count for batch in found] == [261, 261, 78]
    assert PAYLOAD_BYTES - 1003 < size_of(found[0]) <= PAYLOAD_BYTES


def test_bytes_are_counted_not_characters() -> None:
    assert [batch.count for batch in batches(["é" * 10] * 2, max_bytes=40)] == [1, 1]


def test_an_item_that_is_too_large_by_itself_fails() -> None:
    with pytest.raises(
        StateError, match=r"Item 1 makes a batch of 112 bytes, more than the maximum of 50\."
    ) as caught:
        list(batches(["a", "x" * 98], max_bytes=50))
    assert caught.value.error == "States.DataLimitExceeded"


def test_items_are_taken_as_they_are_needed() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    assert next(batches(items(), max_items=10)).count == 10
    assert len(taken) == 11


ITEMS = st.lists(st.none() | st.integers() | st.text(max_size=20) | st.lists(st.integers(0, 9), max_size=5))


@given(
    ITEMS, st.none() | st.integers(1, 5), st.integers(150, 400), st.sampled_from([NO_INPUT, None, {"é": [1]}])
)
def test_batches_keep_every_item_in_order_and_both_limits(
    items: list[Any], most: int | None, size: int, batch_input: Any
) -> None:
    found = list(batches(items, most, size, batch_input))
    assert [item for batch in found for item in batch.input["Items"]] == items
    assert all(batch.count == len(batch.input["Items"]) <= (most or 10**9) for batch in found)
    assert all(size_of(batch) <= size for batch in found)
    for batch, following in itertools.pairwise(found):  # none could have held one more
        more = Batch({**batch.input, "Items": [*batch.input["Items"], following.input["Items"][0]]}, 0)
        assert batch.count == most or size_of(more) > size
