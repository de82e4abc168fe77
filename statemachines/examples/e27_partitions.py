"""Partitions and backfill: each day is written as a whole, in any order, and repeating it does no harm.

``publish`` writes the content of a partition beside the old one, then swaps one small object: a reader sees the
old version or the new one, never half of one. A repeated attempt changes nothing; a later run replaces what is
there.

Two ways to fill a range of days, newest first and two at a time:

- a run per day: ``stepweave backfill`` starts ``daily_load`` for each date of its schedule; dates that have
  succeeded are passed over, and those that failed are resumed;
- a task per day: ``load_range`` maps over the range in one run, and tolerates that some days cannot be had.

Run it: ``stepweave backfill statemachines/examples/e27_partitions.py:daily_load --start 2026-01-01 --end 2026-01-07
--reverse --concurrency 2``, or ``stepweave run statemachines/examples/e27_partitions.py:load_range``.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TypedDict

import numpy as np

from stepweave import dag, get_current_context, task
from stepweave.errors import DataError

ASSET = "daily_load"


class Day(TypedDict):
    """Use of electricity on one day."""

    mean: float
    peak_hour: int
    version: str


def publish(day: date, version: str) -> None:
    """Compute the content of a day's partition, and make it the current one."""
    hours = np.arange(24)
    noise = np.random.default_rng(day.toordinal()).normal(0, 1, 24)
    load = 50 + 15 * np.sin((hours - 9) * np.pi / 12) + noise
    content = Day(mean=round(float(load.mean()), 1), peak_hour=int(load.argmax()), version=version)
    get_current_context().publish(ASSET, day.isoformat(), content)


@task
def fill_logical_date(version: str) -> str:
    """Returns the day that the run stands for, after its partition was written."""
    moment = get_current_context().logical_date
    if moment is None:
        raise DataError("the run stands for no day; give it --logical-date, or use `stepweave backfill`")
    publish(moment.date(), version)
    return moment.date().isoformat()


@dag(schedule="@daily", requirements=["numpy>=2"])
def daily_load(version: str = "v1") -> None:
    """Fills the partition of one day."""
    fill_logical_date(version)


@task
def days(first: date, last: date) -> list[str]:
    """Returns the days of a range, newest first."""
    if last < first:
        raise DataError(f"the range ends on {last}, before it starts on {first}")
    return [(last - timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]


@task(max_concurrency=2, tolerated_failures="50%", map_label="day")
def fill(day: date, version: str, missing: str) -> str:
    """Returns the day, after its partition was written."""
    if day.isoformat() == missing:
        raise DataError(f"there are no readings for {day}")
    publish(day, version)
    return day.isoformat()


@task
def usual_peak(filled: list[str]) -> dict[str, int]:
    """Returns the usual hour of the peak over the days that were filled, read back from their partitions."""
    contents = [get_current_context().latest(ASSET, day) for day in filled]
    hours = sorted(content["peak_hour"] for content in contents)
    return {"days": len(filled), "hour": hours[len(hours) // 2]}


@dag(requirements=["numpy>=2"])
def load_range(
    first: date = date(2026, 1, 1), last: date = date(2026, 1, 7), version: str = "v1", missing: str = ""
) -> None:
    """Fills the partitions of a range of days."""
    usual_peak(fill.partial(version=version, missing=missing).expand(day=days(first, last)))
