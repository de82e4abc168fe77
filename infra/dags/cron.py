"""`schedule_expression`: a DAG's schedule in the words of EventBridge Scheduler.

    cron(0 6 * * 1-5) Europe/Berlin   ─▶   cron(0 6 ? * MON-FRI *), Europe/Berlin
    rate(900 s)                       ─▶   rate(15 minutes)

Unix counts days of the week from Sunday = 0 and lets both day fields be ``*``; EventBridge counts from 1, wants a ``?``
in one of them and a year at the end (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html). Every
field is spelled out as the set of its values and written anew, so that nothing depends on how the two read a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stepweave.errors import UsageError

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MAX_EXPRESSION = 256
"""https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html"""

_CRON = re.compile(r"cron\((.+)\) (\S+)\Z")
_RATE = re.compile(r"rate\((\d+) s\)\Z")
_PART = re.compile(r"(\*|\d+(?:-\d+)?)(?:/(\d+))?\Z")
_NTH = re.compile(r"(\d)#(\d)\Z")
_LAST = re.compile(r"(\d)L\Z")
_SHORTEST_SERIES = 3
"""Values from which a series is written as ``start/step``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A schedule as EventBridge Scheduler takes it."""

    expression: str
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class _Field:
    first: int
    last: int
    names: tuple[str, ...] = ()
    """Names of the values from ``first`` on."""


_MINUTE, _HOUR, _DAY, _MONTH = _Field(0, 59), _Field(0, 23), _Field(1, 31), _Field(1, 12, MONTHS)
_WEEKDAY = _Field(0, 7, DAYS)


def schedule_expression(schedule: str) -> Expression:
    """The schedule that ``DagInfo.schedule`` says. Raises ``UsageError`` for what EventBridge cannot express.

    >>> schedule_expression("cron(*/15 8-18 * * MON-FRI) Europe/Berlin").expression
    'cron(0/15 8-18 ? * MON-FRI *)'
    """
    if found := _RATE.match(schedule):
        return Expression(expression=_rate(int(found[1])))
    found = _CRON.match(schedule)
    if found is None:
        raise UsageError(f"schedule {schedule!r} is neither cron(...) with a time zone nor rate(... s)")
    expression = _cron(found[1])
    if len(expression) > MAX_EXPRESSION:
        raise UsageError(
            f"schedule {schedule!r} has {len(expression)} characters for EventBridge Scheduler, which takes "
            f"{MAX_EXPRESSION}; use ranges and steps, or two DAGs"
        )
    return Expression(expression=expression, timezone=found[2])


def _rate(seconds: int) -> str:
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % length == 0:
            number = seconds // length
            return f"rate({number} {unit}{'s' if number > 1 else ''})"
    raise UsageError(f"a rate of {seconds} s: EventBridge Scheduler knows whole minutes")


def _cron(fields: str) -> str:
    minute, hour, day, month, weekday = (_numbered(text) for text in fields.split())
    day, weekday = _days(day, weekday)
    return f"cron({_written(minute, _MINUTE)} {_written(hour, _HOUR)} {day} {_written(month, _MONTH)} {weekday} *)"


def _days(day: str, weekday: str) -> tuple[str, str]:
    """Day of month and day of week, one of them ``?``."""
    if _values(weekday, _WEEKDAY, {7: 0}) == set(range(7)):
        return (day if day == "L" else _written(day, _DAY)), "?"
    if _values(day, _DAY) != set(range(1, 32)):
        raise UsageError(
            f"days of the month ({day}) and of the week ({weekday}) together; EventBridge Scheduler takes one of them"
        )
    return "?", _weekdays(weekday)


def _weekdays(text: str) -> str:
    if found := _NTH.match(text):
        return f"{int(found[1]) % 7 + 1}#{found[2]}"
    if found := _LAST.match(text):
        return f"{int(found[1]) % 7 + 1}L"
    values = _values(text, _WEEKDAY, {7: 0})
    if values is None:
        raise UsageError(f"days of the week {text!r}; EventBridge Scheduler takes one '#' or 'L' by itself")
    return _joined(values, dict(enumerate(DAYS)))


def _written(text: str, field: _Field) -> str:
    values = _values(text, field)
    if values is None:
        raise UsageError(f"the cron field {text!r} cannot be said to EventBridge Scheduler")
    everything = list(range(field.first, field.last + 1))
    found = sorted(values)
    if found == everything:
        return "*"
    step = found[1] - found[0] if len(found) >= _SHORTEST_SERIES else 0
    if step > 1 and found == list(range(found[0], field.last + 1, step)):
        return f"{found[0]}/{step}"
    return _joined(values, {})


def _joined(values: Iterable[int], named: dict[int, str]) -> str:
    """Values as a list of single ones and of ranges: ``1-5,9``."""
    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    parts = []
    for first, last in runs:
        start, end = named.get(first, str(first)), named.get(last, str(last))
        parts.append(start if first == last else f"{start}-{end}" if last - first > 1 else f"{start},{end}")
    return ",".join(parts)


def _values(text: str, field: _Field, same: dict[int, int] | None = None) -> set[int] | None:
    """The values of a field; None when it says something else, such as ``L``. ``same`` maps a value to another."""
    if text == "?":
        text = "*"
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.match(part)
        if match is None:
            return None
        start, _, end = match[1].partition("-")
        step = int(match[2] or 1)
        if start == "*":
            first, last = field.first, field.last
        else:
            first = int(start)
            # `5/10` goes on to the end, and `5-5/10` too, as the laptop's reader of cron has it.
            alone = not end or end == start
            last = (field.last if match[2] else first) if alone else int(end)
        found.update(range(first, last + 1, step))
    return {(same or {}).get(value, value) for value in found}


def _numbered(text: str) -> str:
    """A field with numbers for the names of months and days."""
    numbers = {**{name: n for n, name in enumerate(MONTHS, 1)}, **{name: n for n, name in enumerate(DAYS)}}
    return re.sub(r"[A-Z]{3}", lambda found: str(numbers[found[0]]), text.upper())
