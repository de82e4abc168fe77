"""When a cron expression of EventBridge Scheduler comes true: a reader of its own, from the text of AWS's page.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import calendar
import functools
from datetime import datetime

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def comes_true(expression: str, moment: datetime) -> bool:
    """Whether ``cron(...)`` fires in the minute of ``moment``."""
    minute, hour, day, month, weekday, year = expression.removeprefix("cron(").removesuffix(")").split()
    assert (day == "?") != (weekday == "?"), expression
    assert year == "*"
    return (
        moment.minute in numbers(minute, 0, 59)
        and moment.hour in numbers(hour, 0, 23)
        and moment.month in numbers(month, 1, 12, MONTHS)
        and (day == "?" or is_day(day, moment))
        and (weekday == "?" or is_weekday(weekday, moment))
    )


def is_day(field: str, moment: datetime) -> bool:
    if field == "L":
        return moment.day == calendar.monthrange(moment.year, moment.month)[1]
    return moment.day in numbers(field, 1, 31)


def is_weekday(field: str, moment: datetime) -> bool:
    today = (moment.weekday() + 1) % 7 + 1  # 1 is Sunday
    if "#" in field:
        number, occurrence = map(int, field.split("#"))
        return today == number and (moment.day - 1) // 7 + 1 == occurrence
    if field.endswith("L"):
        last = calendar.monthrange(moment.year, moment.month)[1]
        return today == int(field[:-1]) and moment.day > last - 7
    return today in numbers(field, 1, 7, DAYS)


@functools.cache
def numbers(field: str, first: int, last: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """Values of a field: lists of single values, ranges, ``*`` and ``start/step``."""
    found: set[int] = set()
    for part in field.split(","):
        body, _, step = part.partition("/")
        start, _, end = body.partition("-")
        low = first if start == "*" else value(start, first, names)
        high = value(end, first, names) if end else last if start == "*" or step else low
        assert first <= low <= high <= last, field
        found.update(range(low, high + 1, int(step or 1)))
    return frozenset(found)


def value(text: str, first: int, names: tuple[str, ...]) -> int:
    return names.index(text) + first if text in names else int(text)
