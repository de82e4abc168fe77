"""`longest_gap_seconds`: how long a schedule may be silent, for the alarm that says it has been silent for too long."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

_CRON = re.compile(r"cron\((.+)\) (\S+)\Z")
_RATE = re.compile(r"rate\((\d+) s\)\Z")
_FROM = datetime(
    2025, 1, 1
)  # holds a leap day, a change of the clock in both directions, and a turn of the year
_LOOKED_AT = timedelta(days=4 * 366)
_MOST_TIMES = 3_000


def longest_gap_seconds(schedule: str) -> int:
    """The longest distance between two times of ``schedule``, as ``DagInfo.schedule`` says it.

    >>> longest_gap_seconds("cron(0 6 * * 1-5) UTC") // 3600
    72
    """
    if found := _RATE.match(schedule):
        return int(found[1])
    found = _CRON.match(schedule)
    if found is None:
        raise ValueError(f"no schedule: {schedule!r}")
    zone = ZoneInfo(found[2])
    times = (time.astimezone(UTC) for time in CronSim(found[1].replace("?", "*"), _FROM.replace(tzinfo=zone)))
    before = first = next(times)
    longest = timedelta()  # between moments: the clock on the wall may be set meanwhile
    for number, time in enumerate(times):
        longest = max(longest, time - before)
        before = time
        if number > _MOST_TIMES or time - first > _LOOKED_AT:
            break
    return int(longest.total_seconds())
