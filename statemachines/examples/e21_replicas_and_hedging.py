"""Copies: several that must agree, and a second one beside a straggler.

- ``replicate=3, quorum=2`` runs a task three times side by side; its value is the one on which two agree. It
  guards against machines that die *and* against machines that compute nonsense; each copy costs what the task
  costs.
- ``hedge="2s"`` starts a second attempt beside one that takes longer; whoever commits first wins. In a map the
  slowest item decides when the map ends, so this is where it pays.

Here every third copy of ``count`` is made wrong with ``--param wrong=1`` (still two agree) or ``wrong=2`` (no two
do). And the first machine that takes up item 2 of ``simulate`` is a slow one.

Run it: ``stepweave run statemachines/examples/e21_replicas_and_hedging.py --param wrong=1``.
"""

from __future__ import annotations

import time

import numpy as np

from stepweave import dag, get_current_context, task
from stepweave.errors import UsageError


def is_first(name: str, of: int) -> bool:
    """Whether fewer than ``of`` attempts of this run have asked the same; stands for the bad luck of some machines."""
    context = get_current_context()
    if context.store is None:
        raise UsageError("bad luck is dealt out in runs only")
    below = f"checkpoints/{context.dag_id}/{context.run_id}/luck"
    return any(context.store.create(f"{below}/{name}-{number}", b"") for number in range(of))


@task(replicate=3, quorum=2)
def count(rows: int, wrong: int) -> int:
    """Returns how many of random points lie in a circle; the first ``wrong`` copies are off by some."""
    points = np.random.default_rng(1).uniform(-1, 1, (rows, 2))
    inside = int(np.sum(np.linalg.norm(points, axis=1) <= 1))
    bad_memory = wrong > 0 and is_first("count", wrong)
    return inside + (np.random.default_rng().integers(1, 1_000_000).item() if bad_memory else 0)


@task(hedge="1s", map_label="seed")
def simulate(rows: int, seed: int, patience: float) -> int:
    """Returns how many of random points lie in a circle."""
    if seed == 2 and is_first("simulate", 1):
        time.sleep(patience)
    points = np.random.default_rng(seed).uniform(-1, 1, (rows, 2))
    return int(np.sum(np.linalg.norm(points, axis=1) <= 1))


@task
def estimate(counted: int, simulated: list[int], rows: int) -> float:
    """Returns an estimate of pi."""
    return round(4 * (counted + sum(simulated)) / rows / (1 + len(simulated)), 3)


@dag(requirements=["numpy>=2"])
def replicas_and_hedging(rows: int = 20_000, wrong: int = 0, patience: float = 8.0) -> None:
    """Estimates pi on machines of which some are wrong and some are slow."""
    simulated = simulate.partial(rows=rows, patience=patience).expand(seed=[0, 1, 2, 3])
    estimate(count(rows, wrong), simulated, rows)
