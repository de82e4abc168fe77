"""Continuous delivery of a model, as a template: tests side by side, a gate, a staged release with a check after each
stage.

``release`` is given the model, its tests and the stages. The tests run at once; the gate needs the worst of them.
Each stage shifts more traffic and is watched; ``chain`` puts the stages in order, and the first watch that fails
stops the release, takes the stages back by their ``compensate``, and fails the run.

Run it: ``stepweave run statemachines/examples/e30_release.py --param noise=10`` (held back), or ``--param
breaks_at=50``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stepweave import If, chain, dag, get_current_context, task, task_group
from stepweave.authoring.tasks import TaskFunction
from stepweave.errors import PermanentError


def release(
    model: Any, tests: Sequence[TaskFunction[..., Any]], stages: Sequence[int], breaks_at: int
) -> None:
    """The tasks of a release, for use in a DAG."""
    lowest = worst([test(model) for test in tests])
    with If(lowest >= 0.5, id="gate"), task_group("release"):
        steps = []
        for percent in stages:
            shifted = shift.override(task_id=f"to_{percent}")(percent)
            steps += [shifted, watch.override(task_id=f"watch_{percent}")(shifted, breaks_at)]
        chain(*steps)


@task
def worst(scores: list[float]) -> float:
    """Returns the worst score."""
    return min(scores)


def shift_back(percent: int) -> None:
    """Undoes ``shift``."""
    get_current_context().publish("traffic", f"before-{percent}", "restored")


@task(compensate=shift_back)
def shift(percent: int) -> int:
    """Returns the share of the traffic that the new model gets now."""
    return percent


@task
def watch(percent: int, breaks_at: int) -> str:
    """Returns how the model does with its share."""
    if percent >= breaks_at:
        raise PermanentError(f"with {percent} % of the traffic 4 % of the answers are errors")
    return f"fine with {percent} %"


@task
def line(noise: float) -> list[float]:
    """Returns slope and intercept of a line through noisy points."""
    x = np.linspace(0, 1, 30)
    return [float(value) for value in np.polyfit(x, 3 * x + np.random.default_rng(0).normal(0, noise, 30), 1)]


@task
def slope_is_right(model: list[float]) -> float:
    """Returns a score, 1 at best."""
    return 1 - abs(model[0] - 3)


@task
def starts_at_zero(model: list[float]) -> float:
    """Returns a score, 1 at best."""
    return 1 - abs(model[1])


@dag(dag_id="release", requirements=["numpy>=2"])
def release_a_line(noise: float = 0.1, breaks_at: int = 101) -> None:
    """Releases a line in three stages."""
    release(line(noise), [slope_is_right, starts_at_zero], stages=[5, 50, 100], breaks_at=breaks_at)
