"""Mapping: one task run once per item, over lists that are written here or made by another task in the run.

- ``expand(degree=…, ridge=…)`` runs all combinations, the last list changing fastest; ``how="zip"`` pairs them up.
- ``expand_kwargs`` takes a list of dicts of arguments.
- ``partial`` gives the arguments that are the same for all.
- Results come as one list in the order of the items. With ``tolerated_failures`` the list has the items that
  succeeded.
- ``batch_size`` runs several items in one call; ``map_label`` says which argument names an item for people.

A mapped item costs what the task costs; the map itself costs 2 transitions, 4 over a list that is known only in
the run. The state machine looks at the number of items in the run: few run inside of the execution, many in
executions of their own. Only failed items run again when a run is resumed.

Run it: ``stepweave run statemachines/examples/e08_mapping.py --param broken=2``.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from stepweave import dag, task
from stepweave.errors import DataError


class Fit(TypedDict):
    """One polynomial, and its error on data that it has not seen."""

    degree: int
    ridge: float
    error: float


@task(tolerated_failures="20%", batch_size=4, map_label="day")
def measure(day: int, broken: int) -> list[float]:
    """Returns a day of measurements of a sine; days with a number below ``broken`` were lost."""
    if day < broken:
        raise DataError(f"day {day} was lost")
    noise = np.random.default_rng(day).normal(0, 0.1, 12)
    return [float(value) for value in (np.sin(np.linspace(0, 6, 12)) + noise).round(4)]


@task
def days(count: int) -> list[int]:
    """Returns the days to read; how many is known only in the run."""
    return list(range(count))


@task(map_label="degree")
def fit(rows: list[list[float]], degree: int, ridge: float = 0.0) -> Fit:
    """Returns the error on the last day of a polynomial fitted to the days before."""
    *train, test = np.array(rows)
    powers = np.vander(np.linspace(-1, 1, 12), degree + 1)
    square = powers.T @ powers * len(train) + ridge * np.eye(degree + 1)
    weights = np.linalg.solve(square, powers.T @ np.sum(train, axis=0))
    return {
        "degree": degree,
        "ridge": ridge,
        "error": round(float(np.mean((powers @ weights - test) ** 2)), 5),
    }


@task
def best(fits: list[Fit]) -> Fit:
    """Returns the fit with the least error."""
    return min(fits, key=lambda fit: fit["error"])


@dag(requirements=["numpy>=2"])
def mapping(broken: int = 0) -> None:
    """Reads ten days and fits polynomials to them in three ways."""
    fits = fit.partial(rows=measure.partial(broken=broken).expand(day=days(10)))
    best(fits.expand(degree=[1, 3, 5, 7], ridge=[0.0, 0.1]))
    best(fits.override(task_id="fit_zip").expand(degree=[3, 7], ridge=[0.0, 10.0], how="zip"))
    best(fits.override(task_id="fit_kwargs").expand_kwargs([{"degree": 2}, {"degree": 9, "ridge": 0.5}]))
