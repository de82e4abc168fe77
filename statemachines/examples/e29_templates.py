"""Templates: the shape of a pipeline, written once; each use fills in the tasks.

``etl`` is a plain function that calls the tasks it is given: extract from all sources at once, transform, check,
and load only what passes. A template is tested and versioned like any other function, and what comes of it is
checked like any other DAG: a task that does not fit is refused when the DAG is traced. ``override`` renames or
retunes a task for one use.

Run it: ``stepweave run statemachines/examples/e29_templates.py:sensor_features`` (or ``word_features``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np

from stepweave import Else, If, dag, task, task_group
from stepweave.authoring.tasks import TaskFunction


class Features(TypedDict):
    """Named numbers, and how many rows they come from."""

    rows: int
    values: dict[str, float]


def etl(
    sources: Sequence[str], extract: TaskFunction[..., Any], transform: TaskFunction[..., Any], least: int
) -> None:
    """The tasks of an ETL pipeline, for use in a DAG; ``least`` is how many rows it takes to go on."""
    with task_group("extract"):
        tables = [extract.override(task_id=source, retries=2)(source) for source in sources]
    features = transform(tables)
    with If(features["rows"] >= least, id="enough"):
        load(features)
    with Else():
        reject(features)


@task
def load(features: Features) -> str:
    """Returns the address of the features."""
    return f"features/{'-'.join(sorted(features['values']))}"


@task
def reject(features: Features) -> str:
    """Returns why nothing was loaded."""
    return f"only {features['rows']} rows"


@task
def readings(sensor: str) -> list[float]:
    """Returns the readings of a sensor."""
    return [float(value) for value in np.random.default_rng(len(sensor)).normal(20, 2, 100)]


@task
def statistics(tables: list[list[float]]) -> Features:
    """Returns features over all sensors."""
    every = np.concatenate(tables)
    values = {"mean": round(float(every.mean()), 2), "p99": round(float(np.quantile(every, 0.99)), 2)}
    return {"rows": len(every), "values": values}


@task
def words(text: str) -> list[str]:
    """Returns the words of a text."""
    return text.replace("_", " ").split()


@task
def lengths(tables: list[list[str]]) -> Features:
    """Returns features over all texts."""
    every = [len(word) for table in tables for word in table]
    return {"rows": len(every), "values": {"longest": float(max(every))}}


@dag(requirements=["numpy>=2"])
def sensor_features() -> None:
    """Features over three sensors."""
    etl(["hall", "roof", "cellar"], readings, statistics, least=200)


@dag(requirements=["numpy>=2"])
def word_features() -> None:
    """Features over two texts, which have too few words."""
    etl(["many_hands_make_light_work", "festina_lente"], words, lengths, least=10)
