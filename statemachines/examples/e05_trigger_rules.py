"""Trigger rules: which ends of the tasks before it let a task run.

Without a rule of its own a task runs when all tasks before it succeeded. Here three weather stations report; one
may be broken (its task fails) or closed (it raises ``Skip``), and each reader says what it makes of that:

- ``first_value``: ``one_success``, starts with the first report and does not wait for the others.
- ``mean``: ``all_done``, takes what there is; a report that does not exist arrives as ``None``.
- ``publish``: ``none_failed``, a closed station is fine, a broken one is not: then it ends as ``upstream_failed``.
- ``page_somebody``: ``one_failed``, starts with the first failure; without one it is skipped.

Run it: ``stepweave run statemachines/examples/e05_trigger_rules.py --param closed=summit`` (or ``broken=summit``).
"""

from __future__ import annotations

import time

import numpy as np

from stepweave import dag, task
from stepweave.errors import DataError, Skip

STATIONS = {"valley": 14.0, "forest": 11.0, "summit": -2.0}


@task
def read(station: str, broken: str, closed: str) -> list[float]:
    """Returns a day of temperatures; the higher the station, the slower its line."""
    if station == broken:
        raise DataError(f"{station}: the sensor reports 999 degrees")
    if station == closed:
        raise Skip(f"{station} is closed in winter")
    mean = STATIONS[station]
    time.sleep((14.0 - mean) / 50)
    return [float(each) for each in np.random.default_rng(7).normal(mean, 3, 24).round(1)]


@task(trigger_rule="one_success")
def first_value(reports: list[list[float] | None]) -> float:
    """Returns the first temperature that came in."""
    return next(report[0] for report in reports if report)


@task(trigger_rule="all_done")
def mean(reports: list[list[float] | None]) -> float:
    """Returns the mean of the stations that reported."""
    return round(float(np.mean([report for report in reports if report])), 2)


@task(trigger_rule="none_failed")
def publish(reports: list[list[float] | None]) -> int:
    """Returns how many stations were published."""
    return sum(report is not None for report in reports)


@task(trigger_rule="one_failed")
def page_somebody() -> str:
    """Returns who was woken."""
    return "the person on call"


@dag(requirements=["numpy>=2"])
def trigger_rules(broken: str = "", closed: str = "") -> None:
    """Reads three stations, of which one may be broken or closed."""
    reports = [read.override(task_id=f"read_{name}")(name, broken, closed) for name in STATIONS]
    first_value(reports)
    mean(reports)
    publish(reports)
    reports >> page_somebody()
