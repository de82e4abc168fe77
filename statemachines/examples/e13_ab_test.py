"""A/B test: two variants are measured side by side, and a test of significance decides.

Both arms run at once; the comparison needs both. The verdict is a condition of the state machine: ``roll_out``
runs only if B is better *and* chance is an unlikely reason for it.

Run it: ``stepweave run statemachines/examples/e13_ab_test.py --param lift=0`` (B is no better, nothing is rolled
out).
"""

from __future__ import annotations

import math
from typing import TypedDict

import numpy as np

from stepweave import Else, If, Param, dag, task, task_group


class Arm(TypedDict):
    """What visitors of one arm did."""

    visitors: int
    bought: int


class Verdict(TypedDict):
    """Difference of the rates, and how likely chance alone makes one as large."""

    difference: float
    p_value: float


@task
def serve(rate: float, visitors: int, seed: int) -> Arm:
    """Returns how many of the visitors bought."""
    bought = np.random.default_rng(seed).binomial(visitors, rate)
    return {"visitors": visitors, "bought": int(bought)}


@task
def compare(a: Arm, b: Arm) -> Verdict:
    """Returns the z-test of two proportions."""
    rates = [arm["bought"] / arm["visitors"] for arm in (a, b)]
    pooled = (a["bought"] + b["bought"]) / (a["visitors"] + b["visitors"])
    error = math.sqrt(pooled * (1 - pooled) * (1 / a["visitors"] + 1 / b["visitors"]))
    z = (rates[1] - rates[0]) / error
    return {
        "difference": round(rates[1] - rates[0], 4),
        "p_value": round(math.erfc(abs(z) / math.sqrt(2)), 5),
    }


@task
def roll_out(verdict: Verdict) -> str:
    """Returns what was changed."""
    return f"everybody gets B: {verdict['difference']:+.1%}"


@task
def keep() -> str:
    """Returns what was not changed."""
    return "everybody keeps A"


@task_group
def arms(lift: float, visitors: int) -> dict[str, Arm]:
    """Both arms at once."""
    return {"a": serve(0.1, visitors, 1), "b": serve(0.1 + lift, visitors, 2)}


@dag(requirements=["numpy>=2"])
def ab_test(lift: float = 0.02, visitors: int = Param(20_000, gt=0), alpha: float = 0.01) -> None:
    """Rolls out the better page if it is significantly better."""
    measured = arms(lift, visitors)
    verdict = compare(measured["a"], measured["b"])
    with If((verdict["difference"] > 0) & (verdict["p_value"] < alpha)):
        roll_out(verdict)
    with Else():
        keep()
