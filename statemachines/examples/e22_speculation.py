"""Speculation: the likely branch starts before its condition is known.

    data ──▶ audit (slow) ──▶ if clean ──▶ publish
      ╲──▶ train ─────────────────────────╱

Nearly always the audit finds nothing. ``likely=True`` starts the block at once, beside the audit. Its results are
staged: they become results when the condition holds, and are dropped, unseen by anybody, when it does not. The price is
the work done in vain when the guess was wrong, and 8 transitions more than those of an ordinary block.

Run it: ``stepweave run statemachines/examples/e22_speculation.py --param errors=3`` (the model is dropped).
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from stepweave import Else, If, dag, task


@task
def data(errors: int) -> NDArray[np.float64]:
    """Returns a noisy line; some values are wrong by far."""
    x = np.linspace(0, 1, 50)
    y = 2 * x + 1 + np.random.default_rng(4).normal(0, 0.05, x.size)
    y[:errors] += 100
    return np.column_stack([x, y])


@task
def audit(rows: NDArray[np.float64], seconds: float) -> dict[str, int]:
    """Returns how many values are out of range; a thorough audit takes its time."""
    time.sleep(seconds)
    return {"errors": int(np.sum(rows[:, 1] > 10))}


@task
def train(rows: NDArray[np.float64]) -> dict[str, float]:
    """Returns slope and intercept."""
    slope, intercept = np.polyfit(rows[:, 0], rows[:, 1], 1)
    return {"slope": round(float(slope), 2), "intercept": round(float(intercept), 2)}


@task
def card(line: dict[str, float]) -> str:
    """Returns the model in words."""
    return f"y = {line['slope']} x + {line['intercept']}"


@task
def quarantine(found: dict[str, int]) -> str:
    """Returns what is done about wrong values."""
    return f"{found['errors']} values are put aside"


@task
def publish(text: str) -> str:
    """Returns the published text; it runs after the condition, as all tasks outside of the block do."""
    return f"published: {text}"


@dag(requirements=["numpy>=2"])
def speculation(errors: int = 0, seconds: float = 1.5) -> None:
    """Trains while the data is still audited."""
    rows = data(errors)
    found = audit(rows, seconds)
    with If(found["errors"] == 0, likely=True):
        text = card(train(rows))
    with Else():
        quarantine(found)
    publish(text)
