"""Structure that is known only in the run: a task looks at the data and says what is to be done.

``plan_work`` emits specs, ``{"task": name, "kwargs": {...}}``; ``dispatch`` makes one mapped task of them, which
runs for each spec the function that it names. So the number *and the kind* of the tasks follow from the data,
while the state machine, which was reviewed and deployed, stays as it is.

Run it: ``stepweave run statemachines/examples/e28_dispatch.py --param wanted=age``.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from stepweave import dag, task
from stepweave.recipes.dispatching import Spec, dispatch

TABLE: dict[str, list[Any]] = {
    "age": [31, 45, None, 28, 60],
    "income": [2800.0, 4100.0, 3900.0, None, 5200.0],
    "city": ["Oslo", "Lima", "Oslo", None, "Oslo"],
    "active": [True, True, False, True, True],
}


def summarise_numbers(column: str, values: list[float]) -> dict[str, Any]:
    """Returns mean and spread."""
    return {
        "column": column,
        "mean": round(float(np.mean(values)), 1),
        "std": round(float(np.std(values)), 1),
    }


def summarise_texts(column: str, values: list[str], most: int = 1) -> dict[str, Any]:
    """Returns the most frequent values."""
    return {"column": column, "most": [value for value, _ in Counter(values).most_common(most)]}


def count_missing(column: str, values: list[Any]) -> dict[str, Any]:
    """Returns how many values are missing."""
    return {"column": column, "missing": sum(value is None for value in values)}


@task
def plan_work(wanted: str) -> list[Spec]:
    """Returns one piece of work per column by its type, and one more where values are missing."""
    specs: list[Spec] = []
    for column, values in TABLE.items():
        if wanted not in ("", column):
            continue
        there = [value for value in values if value is not None]
        name = "texts" if isinstance(there[0], str) else "numbers"
        specs.append({"task": name, "kwargs": {"column": column, "values": there}})
        if len(there) < len(values):
            specs.append({"task": "missing", "kwargs": {"column": column, "values": values}})
    return specs


@task
def profile(parts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Returns what is known of each column."""
    found: dict[str, dict[str, Any]] = {}
    for part in parts:
        column = part.pop("column")
        found.setdefault(column, {}).update(part)
    return found


run_work = dispatch(
    {"numbers": summarise_numbers, "texts": summarise_texts, "missing": count_missing}, retries=1
)


@dag(dag_id="dispatch", requirements=["numpy>=2"])
def dispatch_example(wanted: str = "") -> None:
    """Profiles a table, column by column, by the type of each."""
    profile(run_work.expand(spec=plan_work(wanted)))
