"""When a DAG starts by the clock: cron in five fields, as in Airflow, or a fixed distance."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from stepweave.authoring.units import seconds

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
"""Airflow's names for common schedules."""

SHORTEST_RATE_SECONDS = 60
"""EventBridge Scheduler knows whole minutes
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html)."""


@dataclass(frozen=True, slots=True)
class Cron:
    """Minute, hour, day of month, month, day of week: ``Cron("0 6 * * 1-5", timezone="Europe/Berlin")``."""

    expression: str
    timezone: str = "UTC"
    """Name of an IANA time zone."""

    def fields(self) -> str:
        """The five fields, with a preset such as ``@daily`` written out and one space between fields."""
        return " ".join(PRESETS.get(self.expression.strip(), self.expression).split())

    def as_text(self) -> str:
        """The schedule as ``DagInfo.schedule`` carries it: ``cron(0 6 * * 1-5) Europe/Berlin``."""
        return f"cron({self.fields()}) {self.timezone}"


@dataclass(frozen=True, slots=True)
class Every:
    """A fixed distance between starts, whole minutes: ``Every("15m")``, ``Every(timedelta(hours=6))``."""

    interval: float | str | timedelta

    def as_text(self) -> str:
        """The schedule as ``DagInfo.schedule`` carries it: ``rate(900 s)``."""
        return f"rate({seconds(self.interval)} s)"


Schedule: TypeAlias = Cron | Every


def to_schedule(value: Any) -> Schedule | None:
    """The schedule in its normal form; text is cron, a ``timedelta`` a distance. Raises ``ValueError`` otherwise."""
    match value:
        case None | Cron() | Every():
            return value
        case str():
            return Cron(value)
        case timedelta():
            return Every(value)
    raise ValueError(f"schedule must be Cron(...), Every(...) or None, not {value!r}")


def mistakes(schedule: Schedule) -> Iterator[str]:
    """What is wrong with a schedule, a sentence each."""
    if isinstance(schedule, Every):
        yield from _rate_mistakes(schedule)
        return
    found = list(_cron_mistakes(schedule))
    yield from found
    if not found and (message := _cronsim_says(schedule.fields())):
        yield f"cron {schedule.expression!r} cannot be read: {message}"
    if not _zone_exists(schedule.timezone):
        yield f"unknown time zone {schedule.timezone!r}; use an IANA name such as 'Europe/Berlin'"


def _rate_mistakes(schedule: Every) -> Iterator[str]:
    try:
        length = seconds(schedule.interval)
    except ValueError as error:
        yield f"Every({schedule.interval!r}) is not {error}"
        return
    if length < SHORTEST_RATE_SECONDS or length % 60:
        yield f"Every({schedule.interval!r}) is {length} s; EventBridge Scheduler knows whole minutes from 1 on"


def _cron_mistakes(schedule: Cron) -> Iterator[str]:
    expression: object = schedule.expression  # users without a type checker give anything
    if not isinstance(expression, str):
        yield f"cron must be text, not {expression!r}"
        return
    fields = schedule.fields().split()
    if schedule.expression.strip().startswith("@"):
        if schedule.expression.strip() not in PRESETS:
            yield f"unknown cron preset {schedule.expression!r}; use one of {', '.join(PRESETS)}"
    elif len(fields) != 5:
        yield (
            f"cron {schedule.expression!r} has {len(fields)} fields instead of 5: "
            "minute, hour, day of month, month, day of week"
        )
    elif fields[2] not in "*?" and fields[4] not in "*?":
        yield (
            f"cron {schedule.expression!r} limits both day of month and day of week, "
            "which EventBridge Scheduler cannot express"
        )


def _cronsim_says(fields: str) -> str | None:
    """Why ``fields`` is no cron expression; None when it is one, or where cronsim is not installed."""
    try:
        cronsim = importlib.import_module("cronsim")
    except ModuleNotFoundError:
        return None
    try:
        next(cronsim.CronSim(fields.replace("?", "*"), datetime(2000, 1, 1, tzinfo=UTC)))
    except cronsim.CronSimError as error:
        return str(error)
    except StopIteration:
        return "it never comes true"
    return None


def _zone_exists(name: str) -> bool:
    import zoneinfo  # reads the system's files; only DAGs with a schedule need it

    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        return False
    return True
