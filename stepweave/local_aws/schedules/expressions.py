"""`moments_of`: the expressions of schedules and rules: ``cron(…)``, ``rate(…)`` and ``at(…)``.

AWS: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stepweave.local_aws.schedules.cron import CronError, CronExpression

Moments: TypeAlias = Callable[[float], float | None]
"""The first moment after one, in seconds since the epoch; None when there is none any more."""

_EXPRESSION = re.compile(r"\s*(cron|rate|at)\((.*)\)\s*")
_RATE = re.compile(r"(\d+)\s+(minute|hour|day)s?")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


class ExpressionError(ValueError):
    """An expression that cannot be read."""


def moments_of(expression: str, zone: str = "UTC", *, first: float) -> Moments:
    """When ``expression`` comes round. ``first`` is when a rate does for the first time.

    >>> moments_of("rate(5 minutes)", first=100.0)(450.0)
    700.0
    """
    match = _EXPRESSION.fullmatch(expression)
    if match is None:
        raise ExpressionError(f"{expression!r} is none of cron(…), rate(…) and at(…)")
    kind, inner = match.groups()
    if kind == "rate":
        return _every(_interval(inner), first)
    if kind == "at":
        return _once(inner, _zone(zone))
    try:
        cron, local = CronExpression.parse(inner), _zone(zone)
    except CronError as error:
        raise ExpressionError(f"{expression}: {error}") from error
    return lambda after: cron.after(after, local)


def _interval(text: str) -> int:
    match = _RATE.fullmatch(text.strip())
    if match is None or int(match[1]) < 1:
        raise ExpressionError(f"rate({text}): a rate is a number of minutes, hours or days")
    return int(match[1]) * _SECONDS[match[2]]


def _every(seconds: int, first: float) -> Moments:
    def after(moment: float) -> float:
        if moment < first:
            return first
        return first + (math.floor((moment - first) / seconds) + 1) * seconds

    return after


def _once(text: str, zone: tzinfo) -> Moments:
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ExpressionError(f"at({text}): {error}") from error
    at = (given if given.tzinfo is not None else given.replace(tzinfo=zone)).timestamp()
    return lambda after: at if at > after else None


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ExpressionError(f"unknown time zone {name!r}") from error
