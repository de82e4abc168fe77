"""Loops: successive halving, where each round decides what the next one tries.

``Loop`` runs its block again until the condition over the carried state holds, at most ``max_rounds`` times: here
until one candidate is left. Every round trains the candidates that are left with twice the budget and drops the
worse half. The state machine has a back-edge, not eight copies; a round costs its tasks and 1 transition for the
condition.

Run it: ``stepweave run statemachines/examples/e14_loop.py --param candidates=16``.
"""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np

from stepweave import Loop, Param, dag, get_current_context, task
from stepweave.recipes.sweeps import LogUniform, random_search


class Race(TypedDict):
    """The state of the search: who is left, and for how many steps each may train in the next round."""

    left: list[dict[str, Any]]
    count: int
    steps: int


@task
def line_up(candidates: int) -> Race:
    """Returns the candidates: learning rates drawn at random."""
    drawn = random_search(candidates, seed=2, rate=LogUniform(1e-4, 10.0))
    return {"left": drawn, "count": candidates, "steps": 4}


@task(map_label="rate")
def train(steps: int, rate: float, loss: float = 0.0) -> dict[str, Any]:
    """Returns the loss of a linear model after so many steps of gradient descent at this rate."""
    source = np.random.default_rng(0)
    x = source.normal(size=(200, 5))
    y = x @ np.arange(5.0) + source.normal(scale=0.1, size=200)
    weights = np.zeros(5)
    for _ in range(steps):
        weights = np.clip(weights - rate * x.T @ (x @ weights - y) / len(y), -1e6, 1e6)
    return {"rate": rate, "loss": float(np.mean((x @ weights - y) ** 2))}


@task
def halve(trained: list[dict[str, Any]], steps: int) -> Race:
    """Returns the better half, with twice the budget."""
    better = sorted(trained, key=lambda each: each["loss"])[: max(1, len(trained) // 2)]
    get_current_context().log_metadata(best=better[0]["loss"])
    return {"left": better, "count": len(better), "steps": steps * 2}


@task
def winner(race: Race) -> dict[str, Any]:
    """Returns the candidate that is left."""
    return race["left"][0]


@dag(requirements=["numpy>=2"])
def successive_halving(candidates: int = Param(8, ge=1, le=256)) -> None:
    """Finds a good learning rate, spending most of the work on the promising ones."""
    with Loop(line_up(candidates), until=lambda race: race["count"] <= 1, max_rounds=8) as rounds:
        trained = train.partial(steps=rounds.state["steps"]).expand_kwargs(rounds.state["left"])
        rounds.carry(halve(trained, rounds.state["steps"]))
    winner(rounds.result)
