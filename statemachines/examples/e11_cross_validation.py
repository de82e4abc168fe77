"""Cross-validation: the folds are made in the run, and one fit is mapped over them.

``k_folds`` deals the rows out, ``fit`` is called once per fold with the rows to fit on and those to test on. A
fold that fails is tried again by itself; when the run is resumed, the others are not fitted again.

Run it: ``stepweave run statemachines/examples/e11_cross_validation.py --param k=10``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stepweave import Param, dag, task
from stepweave.recipes.folds import Fold, cross_validate

Rows = NDArray[np.float64]


@task(requirements=["scikit-learn>=1.6"])
def load() -> Rows:
    """Returns 442 patients: ten measurements, and how far their diabetes went within a year."""
    from sklearn.datasets import load_diabetes

    data, target = load_diabetes(return_X_y=True)
    return np.column_stack([data, target])


@task(retries=1, map_label="fold")
def fit(rows: Rows, fold: Fold, ridge: float) -> float:
    """Returns the share of the variance that a ridge regression explains on rows that it has not seen."""
    train, test = rows[fold["train"]], rows[fold["test"]]
    centre = train.mean(axis=0)
    x, y = (train - centre)[:, :-1], (train - centre)[:, -1]
    weights = np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ y)
    left = (test - centre)[:, -1] - (test - centre)[:, :-1] @ weights
    return float(1 - left.var() / test[:, -1].var())


@task
def summary(scores: list[float]) -> dict[str, float]:
    """Returns mean and standard error of the folds."""
    error = np.std(scores, ddof=1) / np.sqrt(len(scores))
    return {"r2": round(float(np.mean(scores)), 3), "error": round(float(error), 3)}


@dag(requirements=["numpy>=2"])
def cross_validation(k: int = Param(5, ge=2, le=50), ridge: float = 0.01) -> None:
    """Estimates how well a regression predicts, by k-fold cross-validation."""
    summary(cross_validate(fit, load(), k=k, ridge=ridge))
