"""`logical_dates`: the moments in a range at which a schedule would have started its DAG."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from cronsim import CronSim

from stepweave.authoring.schedule import Cron, Every, Schedule
from stepweave.authoring.units import seconds
from stepweave.errors import UsageError

MAX_DATES = 10_000
"""More dates are a slip of the keyboard rather than a wish."""


def logical_dates(schedule: Schedule, start: str, end: str) -> list[datetime]:
    """The moments from ``start`` to ``end``, both included, in UTC, the oldest first.

    A date without a time begins, as ``start``, with its first moment, and ends, as ``end``, with its last, both in the
    schedule's time zone. Raises ``UsageError`` for texts that are no dates, and for none or too many moments.
    """
    zone: tzinfo = ZoneInfo(schedule.timezone) if isinstance(schedule, Cron) else UTC
    first, _ = _moment(start, zone, "--start")
    last, is_day = _moment(end, zone, "--end")
    if is_day:
        last += timedelta(days=1) - timedelta(microseconds=1)
    if last < first:
        raise UsageError(f"--end {end} is before --start {start}; give the earlier date as --start")
    found: list[datetime] = []
    for moment in moments(schedule, first):
        if moment > last:
            break
        found.append(moment.astimezone(UTC))
        if len(found) > MAX_DATES:
            raise UsageError(
                f"there are more than {MAX_DATES:,} dates from {start} to {end}; give a shorter range"
            )
    if not found:
        raise UsageError(f"the schedule {schedule.as_text()} has no date from {start} to {end}")
    return found


def moments(schedule: Schedule, first: datetime) -> Iterator[datetime]:
    """Every moment of a schedule from ``first`` on."""
    match schedule:
        case Cron():
            # The iterator begins after the moment that it is given.
            zone = ZoneInfo(schedule.timezone)
            before = first.astimezone(zone) - timedelta(seconds=1)
            yield from CronSim(schedule.fields().replace("?", "*"), before)
        case Every():
            distance = timedelta(seconds=seconds(schedule.interval))
            moment = first
            while True:
                yield moment
                moment += distance


def run_id_of(dag_id: str, moment: datetime, number: int = 1) -> str:
    """The id of the run for a logical date; ``number`` tells apart runs that were made again.

    >>> run_id_of("sales", datetime(2026, 1, 2, 6, tzinfo=UTC), 2)
    'backfill__sales__2026-01-02T060000__2'
    """
    has_time = (moment.hour, moment.minute, moment.second) != (0, 0, 0)
    day = f"{moment:%Y-%m-%dT%H%M%S}" if has_time else f"{moment:%Y-%m-%d}"
    return f"backfill__{dag_id}__{day}" + (f"__{number}" if number > 1 else "")


def _moment(text: str, zone: tzinfo, option: str) -> tuple[datetime, bool]:
    """The moment that ``text`` means, and whether it is a whole day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return datetime(day.year, day.month, day.day, tzinfo=zone), True
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r} is no date; expected 2026-01-31 or 2026-01-31T06:00:00+01:00"
        ) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone), False
