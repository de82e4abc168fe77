"""Fallbacks: a lesser result is better than none, as long as it says that it is one.

``classify`` is a ladder. When its attempts are used up, the next rung is tried:

1. the same function with more memory, ``on_out_of_memory``, only after an attempt that ran out of it (a size beyond
   Lambda's 10 GiB goes to Batch);
2. ``small_model``, from the ``degrade`` list;
3. ``last_good``, what the task returned when it last succeeded in any run.

The level is kept with the result. ``explain`` is ``optional``: its failure counts as a skip, and the run succeeds.

Run it: ``stepweave run statemachines/examples/e19_fallbacks.py --param rows=5000`` (too many for the large model),
then with ``--param down=true`` (no model answers; the last good result is served).
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from stepweave import dag, get_current_context, task
from stepweave.errors import PermanentError
from stepweave.recipes.fallbacks import last_good


class Labels(TypedDict):
    """Rows per cluster, and who said so."""

    sizes: list[int]
    model: str


def points(rows: int) -> NDArray[np.float64]:
    """Three clouds of points, one of them larger."""
    source = np.random.default_rng(0)
    centres = np.array([[0, 0], [8, 0], [0, 8], [0, 8]], dtype=np.float64)
    return source.normal(centres[np.arange(rows) % 4])


def small_model(rows: int, down: bool) -> Labels:
    """Returns clusters by two thresholds."""
    if down:
        raise PermanentError("the feature store is down")
    cloud = points(rows)
    right, above = cloud[:, 0] > 4, cloud[:, 1] > 4
    sizes = [int(np.sum(~right & ~above)), int(np.sum(right)), int(np.sum(above & ~right))]
    return {"sizes": sizes, "model": "thresholds"}


@task(memory="512MiB", on_out_of_memory=["2GiB"], degrade=[small_model, last_good])
def classify(rows: int, down: bool) -> Labels:
    """Returns clusters by their distances to one another, all of them at once."""
    if down:
        raise PermanentError("the feature store is down")
    if rows > 2_000:
        raise MemoryError(f"{rows} x {rows} distances")
    cloud = points(rows)
    near = np.linalg.norm(cloud[:, None] - cloud[None], axis=2) < 4
    seeds = [0, 1, 2]
    return {"sizes": [int(near[seed].sum()) for seed in seeds], "model": "distances"}


@task(optional=True)
def explain(labels: Labels) -> str:
    """Returns a sentence about the largest cluster; the thresholds cannot be explained."""
    if labels["model"] != "distances":
        raise PermanentError(f"no explanation for {labels['model']}")
    return f"cluster {int(np.argmax(labels['sizes']))} is the largest"


@task(trigger_rule="none_failed")
def serve(labels: Labels, explanation: str | None) -> str:
    """Returns what people see."""
    get_current_context().log_metadata(model=labels["model"])
    return f"{sum(labels['sizes'])} rows by {labels['model']}; {explanation or 'without explanation'}"


@dag(requirements=["numpy>=2"])
def fallbacks(rows: int = 400, down: bool = False) -> None:
    """Serves the best clustering that can be had."""
    labels = classify(rows, down)
    serve(labels, explain(labels))
