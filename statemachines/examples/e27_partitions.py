"""Partitions and backfill: a range of days, newest first, each written so that repeating it does no harm.

A partition is published as a whole: the content is written beside the old one, then one small object is swapped. A
reader sees yesterday's version or today's, never half of one; a repeated attempt changes nothing; a later run
replaces what is there. ``max_concurrency`` keeps the backfill from taking all there is, and a day that fails holds
up no other: run the same range again, or resume the run, and only what is missing is computed.

Run it: ``stepweave run statemachines/examples/e27_partitions.py --param first=2026-02-20 --param last=2026-03-05``.
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

    day: str
    mean: float
    peak_hour: int
    version: str


@task
def days(first: date, last: date, newest_first: bool) -> list[str]:
    """Returns the days to fill."""
    if last < first:
        raise DataError(f"the range ends on {last}, before it starts on {first}")
    found = [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]
    return found[::-1] if newest_first else found


@task(max_concurrency=2, tolerated_failures="50%", map_label="day")
def fill(day: str, version: str, missing: list[str]) -> str:
    """Returns the day, after its partition was written."""
    if day in missing:
        raise DataError(f"there are no readings for {day}")
    hours = np.arange(24)
    noise = np.random.default_rng(date.fromisoformat(day).toordinal()).normal(0, 1, 24)
    load = 50 + 15 * np.sin((hours - 9) * np.pi / 12) + noise
    content = Day(day=day, mean=round(float(load.mean()), 1), peak_hour=int(load.argmax()), version=version)
    get_current_context().publish(ASSET, day, content)
    return day


@task
def usual_peak(filled: list[str]) -> dict[str, int | str]:
    """Returns the usual hour of the peak over all days that were filled, read back from their partitions."""
    context = get_current_context()
    contents = [context.latest(ASSET, day) for day in filled]
    hours = sorted(content["peak_hour"] for content in contents)
    return {"days": len(filled), "first": filled[0], "hour": hours[len(hours) // 2]}


@dag
def partitions(
    first: date = date(2026, 1, 1),
    last: date = date(2026, 1, 7),
    version: str = "v1",
    newest_first: bool = True,
    missing: list[str] = [],  # noqa: B006  a DAG's defaults are read, never changed
) -> None:
    """Fills the partitions of a range of days."""
    usual_peak(fill.partial(version=version, missing=missing).expand(day=days(first, last, newest_first)))
