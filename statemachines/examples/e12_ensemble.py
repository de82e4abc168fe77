"""Ensemble: several models side by side; the best of them, and all of them together, meet the test part.

The values are fitted models: a task may return anything, and what is too large to travel in the state machine is
stored, and read by those who need it. Seven trees, each grown on a sample of the rows, make mistakes of their own;
their votes together are better than the best of them, which the two tests show.

Run it: ``stepweave run statemachines/examples/e12_ensemble.py --param trees=15``.
"""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np

from stepweave import Param, dag, task
from stepweave.recipes.folds import best_of


class Tree(TypedDict):
    """A fitted tree, and its accuracy on the validation part."""

    seed: int
    model: Any
    accuracy: float


class Tested(TypedDict):
    """How well models that vote read digits that none of them has seen."""

    seeds: list[int]
    accuracy: float


@task
def split(seed: int) -> dict[str, Any]:
    """Returns scanned digits in three parts: 60 % to train, 20 % to validate, 20 % to test."""
    from sklearn.datasets import load_digits

    rows, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(rows))
    parts = {"train": order[:1077], "valid": order[1077:1437], "test": order[1437:]}
    return {part: {"rows": rows[chosen], "labels": labels[chosen]} for part, chosen in parts.items()}


@task
def seeds(trees: int) -> list[int]:
    """Returns a seed for each tree."""
    return list(range(trees))


@task(map_label="seed")
def grow(parts: dict[str, Any], seed: int) -> Tree:
    """Returns a tree that is grown on a sample of the rows, looking at eight pixels at a time."""
    from sklearn.tree import DecisionTreeClassifier

    rows, labels = parts["train"]["rows"], parts["train"]["labels"]
    sample = np.random.default_rng(seed).integers(0, len(rows), len(rows))
    model = DecisionTreeClassifier(max_features=8, random_state=seed).fit(rows[sample], labels[sample])
    accuracy = model.score(parts["valid"]["rows"], parts["valid"]["labels"])
    return {"seed": seed, "model": model, "accuracy": float(accuracy)}


@task
def test(parts: dict[str, Any], trees: list[Tree]) -> Tested:
    """Returns the accuracy on the test part of the trees together, each of which has one vote."""
    votes = np.array([tree["model"].predict(parts["test"]["rows"]) for tree in trees])
    chosen = [np.bincount(column).argmax() for column in votes.T]
    accuracy = float(np.mean(chosen == parts["test"]["labels"]))
    return {"seeds": [tree["seed"] for tree in trees], "accuracy": round(accuracy, 4)}


@dag(requirements=["numpy>=2", "scikit-learn>=1.6", "skops>=0.13"])  # every task reads models
def ensemble(trees: int = Param(7, ge=1, le=200), seed: int = 7) -> None:
    """Grows trees, and compares the best of them with all of them together."""
    parts = split(seed)
    grown = grow.partial(parts=parts).expand(seed=seeds(trees))
    test.override(task_id="test_best")(parts, [best_of(grown, "accuracy")])
    test.override(task_id="test_ensemble")(parts, grown)
