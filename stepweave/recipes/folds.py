"""Cross-validation: splits, one fit per split, and the best of several results."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, TypedDict

from stepweave.authoring.tasks import TaskFunction, task
from stepweave.errors import DataError


class Fold(TypedDict):
    """One split of rows into those to fit on and those to test on, by their indexes."""

    fold: int
    train: list[int]
    test: list[int]


@task
def k_folds(rows: Any, k: int = 5, seed: int = 0) -> list[Fold]:
    """``k`` splits of rows (their number, or anything with a length); every row is tested on once.

    The rows are shuffled by ``seed``; None keeps their order.
    """
    number = rows if isinstance(rows, int) else len(rows)
    if not 2 <= k <= number:
        raise DataError(f"k_folds: k={k} does not fit {number} rows; expected 2 to {number}")
    indexes = list(range(number))
    if seed is not None:
        random.Random(seed).shuffle(indexes)
    tests = [sorted(indexes[fold::k]) for fold in range(k)]
    return [
        Fold(fold=fold, train=sorted(set(indexes).difference(test)), test=test)
        for fold, test in enumerate(tests)
    ]


@task
def best_of(results: Sequence[Any], key: str, largest: bool = True) -> Any:
    """The result whose ``key`` (``"auc"``, or ``"scores.auc"``) is largest, or smallest; the first of equal ones."""
    if not results:
        raise DataError("best_of: there are no results")
    pick = max if largest else min
    return pick(results, key=lambda result: _part(result, key))


def _part(result: Any, key: str) -> Any:
    found = result
    for name in key.split("."):
        try:
            found = found[name] if hasattr(found, "__getitem__") else getattr(found, name)
        except (LookupError, TypeError, AttributeError):
            raise DataError(f"best_of: a result has no {key!r}: {result!r:.200}") from None
    return found


def cross_validate(fit: TaskFunction[..., Any], rows: Any, *, k: int = 5, seed: int = 0, **fixed: Any) -> Any:
    """A reference to the results of ``fit(rows=rows, fold=fold, **fixed)`` for each of ``k`` folds, in order.

    Inside a DAG: ``scores = cross_validate(fit, load(uri), k=5)``.
    """
    return fit.partial(rows=rows, **fixed).expand(fold=k_folds(rows, k=k, seed=seed))
