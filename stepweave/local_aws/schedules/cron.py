"""`CronExpression`: when a ``cron(…)`` of EventBridge comes round, in a time zone.

AWS: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
"""

from __future__ import annotations

import calendar
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

_MONTHS = tuple(name.upper() for name in calendar.month_abbr)
_DAYS = ("", "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_YEARS = (1970, 2199)
_FIELDS = ("minute", "hour", "day of month", "month", "day of week", "year")
_SATURDAY = 7
_SHIFT_SECONDS = 4 * 3600
"""Clocks are never changed by more than a few hours; near such a change local times are not in order."""


class CronError(ValueError):
    """A cron expression that cannot be read."""


@dataclass(frozen=True, slots=True)
class CronExpression:
    """The six fields, read."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[str, ...] | None
    """Day of month: numbers, ``L``, ``LW``, ``15W``; None for any."""
    months: frozenset[int]
    weekdays: tuple[str, ...] | None
    """Day of week: numbers from 1 for Sunday, ``6L``, ``3#2``; None for any."""
    years: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> CronExpression:
        """The expression of the six fields in ``text``.

        >>> CronExpression.parse("0/30 6 ? * MON-FRI *").minutes
        (0, 30)
        """
        fields = text.upper().split()
        if len(fields) != len(_FIELDS):
            raise CronError(f"a cron expression has six fields ({', '.join(_FIELDS)}), not {len(fields)}")
        minutes, hours, days, months, weekdays, years = fields
        if (days == "?") == (weekdays == "?"):
            raise CronError("either day of month or day of week must be ?")
        return cls(
            minutes=tuple(sorted(_numbers(minutes, 0, 59))),
            hours=tuple(sorted(_numbers(hours, 0, 23))),
            days=_special(days, 1, 31, ()),
            months=frozenset(_numbers(months, 1, 12, _MONTHS)),
            weekdays=_special(weekdays, 1, 7, _DAYS),
            years=frozenset(_numbers(years, *_YEARS)),
        )

    def after(self, moment: float, zone: tzinfo) -> float | None:
        """The first moment after ``moment``, in seconds since the epoch; None when there is none.

        A local time that a change of the clocks leaves out is left out; one that comes twice counts the first time.
        """
        earliest = _earliest(moment, zone)
        for day in self._dates(earliest.date()):
            for naive in self._times(day, earliest):
                at = naive.replace(tzinfo=zone).timestamp()
                if at > moment and datetime.fromtimestamp(at, zone).replace(tzinfo=None) == naive:
                    return at
        return None

    def _times(self, day: date, earliest: datetime) -> Iterator[datetime]:
        """The local times of ``day`` that are not before ``earliest``."""
        first = earliest.hour if day == earliest.date() else 0
        for hour in self.hours[bisect_left(self.hours, first) :]:
            for minute in self.minutes:
                naive = datetime(day.year, day.month, day.day, hour, minute)
                if naive >= earliest:
                    yield naive

    def _dates(self, first: date) -> Iterator[date]:
        """The days from ``first`` on."""
        for year in range(first.year, max(self.years) + 1):
            if year not in self.years:
                continue
            for month in sorted(self.months):
                for number in range(1, calendar.monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if day >= first and self._on(day):
                        yield day

    def _on(self, day: date) -> bool:
        if self.days is not None:
            return any(_is_day(word, day) for word in self.days)
        return self.weekdays is None or any(_is_weekday(word, day) for word in self.weekdays)


def _earliest(moment: float, zone: tzinfo) -> datetime:
    """The local time, in whole minutes, before which nothing comes after ``moment``."""
    around = [datetime.fromtimestamp(moment + shift, zone) for shift in (-_SHIFT_SECONDS, 0, _SHIFT_SECONDS)]
    changes = len({local.utcoffset() for local in around}) > 1
    return (around[0] if changes else around[1]).replace(second=0, microsecond=0, tzinfo=None)


def _special(field: str, least: int, most: int, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """The words of a day field: numbers written out, and the special ones as they are."""
    if field in ("?", "*"):
        return None
    words: list[str] = []
    for part in field.split(","):
        if part[-1] in "LW" or "#" in part:
            words.append(_checked(part, least, most, names))
        else:
            words += map(str, sorted(_numbers(part, least, most, names)))
    return tuple(words)


def _checked(word: str, least: int, most: int, names: tuple[str, ...]) -> str:
    """A special word, its name as a number."""
    head, mark, tail = (
        (word, "", "") if word in ("L", "LW") else word.partition(next(c for c in "#LW" if c in word))
    )
    if not mark:
        return word
    number = _number(head, least, most, names)
    if mark == "#" and not (tail.isdigit() and 1 <= int(tail) <= 5):
        raise CronError(f"{word!r}: after # comes which one of the month, 1 to 5")
    return f"{number}{mark}{tail}"


def _is_day(word: str, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if word == "L":
        return day.day == last
    if word == "LW":
        return day == _nearest_workday(day.replace(day=last))
    if word.endswith("W"):
        return int(word[:-1]) <= last and day == _nearest_workday(day.replace(day=int(word[:-1])))
    return day.day == int(word)


def _nearest_workday(day: date) -> date:
    """The workday of the same month that is nearest to ``day``."""
    shift = {5: -1, 6: 1}.get(day.weekday(), 0)
    near = day + timedelta(days=shift)
    if near.month == day.month:
        return near
    return day + timedelta(days=2 if shift < 0 else -2)


def _is_weekday(word: str, day: date) -> bool:
    number = day.isoweekday() % 7 + 1
    if word == "L":
        return number == _SATURDAY
    if word.endswith("L"):
        return number == int(word[:-1]) and (day + timedelta(days=7)).month != day.month
    wanted, _, which = word.partition("#")
    return number == int(wanted) and (not which or (day.day - 1) // 7 + 1 == int(which))


def _numbers(field: str, least: int, most: int, names: tuple[str, ...] = ()) -> Iterator[int]:
    """The numbers that a list of values, ranges and steps means."""
    for part in field.split(","):
        span, slash, step = part.partition("/")
        width = int(step) if step.isdigit() else 0
        if slash and not width:
            raise CronError(f"{part!r}: after / comes a number from 1")
        if span == "*":
            first, last = least, most
        else:
            head, dash, tail = span.partition("-")
            first = _number(head, least, most, names)
            last = _number(tail, least, most, names) if dash else (most if slash else first)
        if first > last:  # FRI-MON
            last += most - least + 1
        for number in range(first, last + 1, width or 1):
            yield (number - least) % (most - least + 1) + least


def _number(text: str, least: int, most: int, names: tuple[str, ...]) -> int:
    number = names.index(text) if text and text in names else int(text) if text.isdigit() else -1
    if not least <= number <= most:
        raise CronError(f"{text!r} is not from {least} to {most}")
    return number
