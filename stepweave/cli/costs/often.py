"""`runs_per_month`: how often a schedule starts its DAG."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stepweave.authoring.schedule import Every, Schedule
from stepweave.authoring.units import seconds
from stepweave.cli.backfilling.dates import moments
from stepweave.pricing.prices import HOURS_PER_MONTH

_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_YEAR = timedelta(days=365)
MOST_COUNTED = 2_000
"""Starts after which a cron schedule is taken to go on as it began."""


def runs_per_month(schedule: Schedule | None) -> float | None:
    """Starts a month, the mean of a year; None without a schedule.

    >>> runs_per_month(Every("1h"))
    730.0
    """
    if schedule is None:
        return None
    if isinstance(schedule, Every):
        return HOURS_PER_MONTH * 3_600 / seconds(schedule.interval)
    count, length = 0, _YEAR
    for moment in moments(schedule, _FIRST):
        if moment - _FIRST >= _YEAR:
            break
        if count == MOST_COUNTED:
            length = moment - _FIRST
            break
        count += 1
    return count * timedelta(hours=HOURS_PER_MONTH) / length
