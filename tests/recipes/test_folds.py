"""Cross-validation and the best result."""

from __future__ import annotations

import pytest

from stepweave import dag, task
from stepweave.errors import DataError
from stepweave.recipes.folds import best_of, cross_validate, k_folds


def test_every_row_is_tested_once_and_trained_on_otherwise() -> None:
    folds = k_folds(10, k=3)

    assert [fold["fold"] for fold in folds] == [0, 1, 2]
    assert sorted(row for fold in folds for row in fold["test"]) == list(range(10))
    assert all(sorted(fold["train"] + fold["test"]) == list(range(10)) for fold in folds)
    assert [len(fold["test"]) for fold in folds] == [4, 3, 3]


def test_folds_are_the_same_for_the_same_seed_and_take_a_list_for_its_length() -> None:
    assert k_folds(list("abcdef"), k=2, seed=4) == k_folds(6, k=2, seed=4)
    assert k_folds(50, seed=1) != k_folds(50, seed=2)
    assert k_folds(4, k=2, seed=None)[0]["test"] == [0, 2]


@pytest.mark.parametrize("k", [1, 5])
def test_folds_that_do_not_fit_the_rows_are_an_error(k: int) -> None:
    with pytest.raises(DataError, match="expected 2 to 4"):
        k_folds(4, k=k)


def test_the_best_result_has_the_largest_or_smallest_part() -> None:
    results = [{"scores": {"auc": auc}, "name": name} for auc, name in ((0.7, "a"), (0.9, "b"), (0.9, "c"))]

    assert best_of(results, "scores.auc")["name"] == "b"
    assert best_of(results, key="scores.auc", largest=False)["name"] == "a"


def test_results_without_the_part_are_an_error_that_shows_one() -> None:
    with pytest.raises(DataError, match=r"no 'auc': \{'loss': 1\}"):
        best_of([{"loss": 1}], "auc")
    with pytest.raises(DataError, match="no results"):
        best_of([], "auc")


def test_cross_validation_is_one_mapped_fit() -> None:
    @task
    def load() -> list[int]: ...

    @task
    def fit(rows: list[int], fold: dict[str, object], model: str) -> dict[str, float]: ...

    @dag
    def validated():
        best_of(cross_validate(fit, load(), k=4, model="svm"), "auc")

    graph = validated.graph()

    assert [one.id for one in graph.tasks] == ["load", "k_folds", "fit", "best_of"]
    expansion = graph["fit"].expansion
    assert expansion is not None
    assert expansion.arguments[0][0] == "fold"
    assert graph["k_folds"].call == "stepweave.recipes.folds:k_folds"
