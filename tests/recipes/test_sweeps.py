"""Grids and random searches."""

from __future__ import annotations

import math

import pytest

from stepweave.errors import UsageError
from stepweave.recipes.sweeps import IntUniform, LogUniform, Uniform, grid, random_search


def test_a_grid_has_all_combinations_with_the_last_argument_changing_fastest() -> None:
    assert grid(lr=[0.1, 1], depth=(2, 4)) == [
        {"lr": 0.1, "depth": 2},
        {"lr": 0.1, "depth": 4},
        {"lr": 1, "depth": 2},
        {"lr": 1, "depth": 4},
    ]
    assert grid(lr=[]) == []


def test_a_random_search_is_the_same_for_the_same_seed() -> None:
    space = {"lr": LogUniform(1e-4, 1e-1), "depth": [2, 4, 8], "x": Uniform(0, 1)}

    one, same, other = (random_search(20, seed=seed, **space) for seed in (1, 1, 2))

    assert one == same
    assert one != other
    assert len(one) == 20


def test_samples_lie_in_their_ranges_and_reach_all_of_them() -> None:
    samples = random_search(
        2000, lr=LogUniform(1e-4, 1e-1), depth=[2, 4, 8], x=Uniform(-1, 1), n=IntUniform(1, 3)
    )

    assert {one["depth"] for one in samples} == {2, 4, 8}
    assert {one["n"] for one in samples} == {1, 2, 3}
    assert all(-1 <= one["x"] <= 1 and 1e-4 <= one["lr"] <= 1e-1 for one in samples)
    decades = [math.floor(math.log10(one["lr"])) for one in samples]
    assert all(500 < decades.count(decade) < 850 for decade in (-4, -3, -2))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: grid(lr=0.1),
        lambda: grid(model="svm"),
        lambda: random_search(0, lr=[1]),
        lambda: random_search(3, lr=[]),
        lambda: random_search(3, lr=0.1),
        lambda: LogUniform(0, 1),
    ],
)
def test_what_cannot_be_searched_is_an_error(wrong) -> None:
    with pytest.raises(UsageError):
        wrong()
