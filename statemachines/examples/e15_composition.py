"""Composition: a DAG used inside another one, and what the two promise each other.

- ``city_features(city=…)`` puts the tasks of that DAG into this one, in a group: no transition more, one picture.
- ``city_features.as_execution(city=…)`` starts an execution of its own (``startExecution.sync:2``, 1 transition):
  it has a history of its own, and appears in ``stepweave runs`` as a run of its own.
- Either way the params are checked against their declaration, when the DAG is traced if they are known then, and
  what the DAG function returns is the value.
- ``require`` refuses a DAG or a task of another version than this one was written for.

Run it: ``stepweave run statemachines/examples/e15_composition.py:composition``.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from stepweave import Param, dag, task


class Features(TypedDict):
    """What is known of the climate of a city."""

    city: str
    mean: float
    swing: float
    """Between the warmest and the coldest month."""


CLIMATES = {"Oslo": (6.3, 11.2), "Nairobi": (18.8, 1.9), "Sydney": (18.0, 5.3)}


@task(version="1.0.0")
def observe(city: str, years: int) -> list[float]:
    """Returns monthly temperatures."""
    mean, swing = CLIMATES[city]
    months = np.arange(12 * years)
    noise = np.random.default_rng(len(city)).normal(0, 0.5, months.size)
    return [float(value) for value in mean + swing * np.cos(months * np.pi / 6) + noise]


@task(retries=1)
def summarise(city: str, temperatures: list[float]) -> Features:
    """Returns the features of a city."""
    by_month = np.reshape(temperatures, (-1, 12)).mean(axis=0)
    return {
        "city": city,
        "mean": round(float(by_month.mean()), 1),
        "swing": round(float(np.ptp(by_month)), 1),
    }


@dag(version="1.2.0", requirements=["numpy>=2"])
def city_features(
    city: str = Param("Oslo", enum=list(CLIMATES)), years: int = Param(5, ge=1, le=50)
) -> Features:
    """The features of one city; a component that other DAGs use."""
    features: Features = summarise(city, observe.require("<2")(city, years))
    return features


@task
def most_even(cities: list[Features]) -> str:
    """Returns the city with the least difference between the months."""
    return min(cities, key=lambda each: each["swing"])["city"]


@dag(requirements=["numpy>=2"])
def composition(years: int = Param(10, ge=1, le=50)) -> None:
    """Compares two cities, one of them in an execution of its own."""
    features = city_features.require(">=1.1,<2")
    most_even([features(city="Sydney", years=years), features.as_execution(city="Nairobi", years=years)])
