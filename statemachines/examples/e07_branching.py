"""Branches: a task that says which of the tasks after it run, and one that stops here when there is nothing to do.

``If`` needs a condition that can be written down. Where it takes Python to decide, ``@task.branch`` returns the id
(or ids) of the tasks that may follow; the others are skipped. ``@task.short_circuit`` skips everything after it
unless it returns something true. Both are ordinary tasks, and cost what a task costs.

Run it: ``stepweave run statemachines/examples/e07_branching.py --param shift=1.5`` (retrains; ``rows=0`` stops at
once).
"""

from __future__ import annotations

import numpy as np

from stepweave import dag, task


@task.short_circuit
def anything_new(rows: int) -> bool:
    """Returns whether new rows came in."""
    return rows > 0


@task
def new_rows(rows: int, shift: float) -> list[float]:
    """Returns new values of a feature whose mean was 0 when the model was trained."""
    return [float(value) for value in np.random.default_rng(1).normal(shift, 1.0, rows).round(3)]


@task.branch(requirements=["scipy>=1.14"])
def look_for_drift(values: list[float]) -> str:
    """Returns the id of the task to follow, by the Kolmogorov–Smirnov distance to the training data."""
    from scipy.stats import kstest  # type: ignore[import-untyped]

    distance = float(kstest(values, "norm").statistic)
    if distance < 0.1:
        return "keep"
    return "refresh_scaling" if distance < 0.3 else "retrain"


@task
def keep() -> str:
    """Returns what was done."""
    return "kept the model"


@task
def refresh_scaling(values: list[float]) -> str:
    """Returns what was done."""
    return f"centred the feature at {np.mean(values):.1f}"


@task
def retrain(values: list[float]) -> str:
    """Returns what was done."""
    return f"trained again with {len(values)} new rows"


@task(trigger_rule="none_failed_min_one_success")
def report(done: list[str | None]) -> str:
    """Returns what was done, whichever task did it."""
    return next(each for each in done if each is not None)


@dag(requirements=["numpy>=2"])
def branching(rows: int = 300, shift: float = 0.0) -> None:
    """Looks at new rows and does as much about them as they ask for."""
    values = new_rows(rows, shift)
    anything_new(rows) >> values
    choice = look_for_drift(values)
    ways = [keep(), refresh_scaling(values), retrain(values)]
    choice >> ways
    report(ways)
