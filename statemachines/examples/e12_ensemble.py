"""Ensemble: several models side by side; the best one, and all of them together, meet the test part.

The models are fitted models: a task may return any value, and what is too large to travel in the state machine is
stored, and read by those who need it. ``test`` gets the list of them in the order written.

Run it: ``stepweave run statemachines/examples/e12_ensemble.py``.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

import numpy as np

from stepweave import dag, task
from stepweave.recipes.folds import best_of

Kind = Literal["tree", "bayes", "neighbours"]


class Trained(TypedDict):
    """A fitted model, and its accuracy on the validation part."""

    kind: Kind
    model: Any
    accuracy: float


@task
def split(seed: int) -> dict[str, Any]:
    """Returns scanned digits in three parts: 60 % to train, 20 % to validate, 20 % to test."""
    from sklearn.datasets import load_digits

    rows, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(rows))
    ends = {"train": order[:1077], "valid": order[1077:1437], "test": order[1437:]}
    return {part: {"rows": rows[chosen], "labels": labels[chosen]} for part, chosen in ends.items()}


@task(map_label="kind")
def train(parts: dict[str, Any], kind: Kind) -> Trained:
    """Returns a model of one kind."""
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    model = {
        "tree": DecisionTreeClassifier(random_state=0),
        "bayes": GaussianNB(),
        "neighbours": KNeighborsClassifier(3),
    }[kind]
    model.fit(parts["train"]["rows"], parts["train"]["labels"])
    accuracy = model.score(parts["valid"]["rows"], parts["valid"]["labels"])
    return {"kind": kind, "model": model, "accuracy": float(accuracy)}


@task
def test(parts: dict[str, Any], models: list[Trained]) -> dict[str, Any]:
    """Returns the accuracy on the test part of the models together: each has one vote, the first one two."""
    rows, labels = parts["test"]["rows"], parts["test"]["labels"]
    votes = np.array([each["model"].predict(rows) for each in [models[0], *models]])
    chosen = [np.bincount(column).argmax() for column in votes.T]
    return {
        "models": [each["kind"] for each in models],
        "accuracy": round(float(np.mean(chosen == labels)), 4),
    }


@dag
def ensemble(seed: int = 7) -> None:
    """Trains three models, and compares the best of them with all of them together."""
    parts = split(seed)
    trained = train.partial(parts=parts).expand(kind=["neighbours", "tree", "bayes"])
    test.override(task_id="test_best")(parts, [best_of(trained, "accuracy")])
    test.override(task_id="test_ensemble")(parts, trained)
