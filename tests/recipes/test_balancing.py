"""Work in even parts."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepweave import dag, task
from stepweave.errors import DataError
from stepweave.recipes.balancing import even_parts

WEIGHTS = st.lists(st.integers(0, 50), min_size=1, max_size=7)


def heaviest(weights: list[int], parts: list[int]) -> int:
    return max(sum(w for w, mine in zip(weights, parts, strict=True) if mine == part) for part in set(parts))


@given(weights=WEIGHTS, parts=st.integers(1, 3))
def test_no_part_weighs_more_than_four_thirds_of_the_best_there_is(weights: list[int], parts: int) -> None:
    found = even_parts([*enumerate(weights)], parts, weights)

    assert sorted(item for part in found for item in part) == [*enumerate(weights)]
    best = min(heaviest(weights, [*way]) for way in itertools.product(range(parts), repeat=len(weights)))
    assert max(sum(weight for _, weight in part) for part in found) * 3 <= best * 4
    assert all(part and part == sorted(part) for part in found)


def test_without_weights_the_parts_have_the_same_number_of_items() -> None:
    assert [len(part) for part in even_parts([*range(10)], 4)] == [3, 3, 2, 2]
    assert even_parts(["a"], 3) == [["a"]]
    assert even_parts([], 3) == []


@pytest.mark.parametrize("weights, parts", [([1.0], 2), ([1.0, -1.0], 2), ([1.0, 1.0], 0)])
def test_weights_that_do_not_fit_are_an_error(weights: list[float], parts: int) -> None:
    with pytest.raises(DataError, match="one weight of 0 or more for each item"):
        even_parts(["a", "b"], parts, weights)


@task
def sizes() -> list[int]:
    return [5, 1, 1, 4]


@task
def total(part: list[int]) -> int:
    return sum(part)


def test_in_a_dag_its_parts_are_mapped_over() -> None:
    @dag
    def balanced() -> None:
        found = sizes()
        total.expand(part=even_parts(found, 2, found))

    assert [node.id for node in balanced.graph().tasks] == ["sizes", "even_parts", "total"]
    assert balanced.graph()["total"].expansion is not None
