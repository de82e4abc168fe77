"""`missed(...)`: whether a schedule was due a while ago and no run of its moment is on record."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from functions.shared.execution_names import scheduled_run_id

LATE = timedelta(minutes=15)
"""So long a start may take: the scheduler tries again and again."""
LOOKED_BACK = timedelta(minutes=80)
"""How far back is looked: more than the hour between two looks, so that each moment is looked at."""

_CRON = re.compile(r"cron\((.+)\) (\S+)\Z")


def missed(
    schedule: str, *, deployed: datetime, now: datetime, has_run: Callable[[str], bool]
) -> list[datetime]:
    """The moments of ``schedule`` (``cron(0 6 * * 1-5) Europe/Berlin``) that no run was started for.

    Args:
        schedule: As the DAG has it. A fixed distance (``rate(…)``) has no moments that one could know.
        deployed: Before that there was perhaps another schedule, or none.
        now: The moment of the question.
        has_run: Whether a run of this id is on record.
    """
    found = _CRON.match(schedule)
    if found is None:
        return []
    zone = ZoneInfo(found[2])
    first = max(deployed, now - LOOKED_BACK)
    moments = CronSim(found[1].replace("?", "*"), first.astimezone(zone))
    due: list[datetime] = []
    for moment in moments:
        if moment > now - LATE:
            return [moment for moment in due if not has_run(scheduled_run_id(moment))]
        due.append(moment.astimezone(UTC))
    return []
