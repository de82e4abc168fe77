"""Names of executions: the first of a run has the run's id, and each time that the run is resumed it has one more."""

from __future__ import annotations

import re
from datetime import UTC, datetime

MAX_RESUMES = 999
MAX_RUN_ID = 74
"""Longest run id: an execution's name has at most 80 characters, and a resumed one ends with ``-r999``."""

_RESUMED = re.compile(r"(?P<run>.+)-r\d+\Z")


def scheduled_run_id(moment: datetime) -> str:
    """Id of the run that a schedule starts for ``moment``.

    >>> scheduled_run_id(datetime(2026, 1, 2, 3, tzinfo=UTC))
    'scheduled-20260102T030000Z'
    """
    return f"scheduled-{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def resumed_name(run_id: str, number: int) -> str:
    """Name of the execution with which a run is resumed for the ``number``-th time."""
    return f"{run_id}-r{number}"


def is_resumed(execution: str) -> bool:
    """Whether an execution of this name is that of a resumed run."""
    return _RESUMED.match(execution) is not None


def run_of(execution: str) -> str:
    """Id of the run that an execution's name is of.

    >>> run_of("r1"), run_of("r1-r2")
    ('r1', 'r1')
    """
    found = _RESUMED.match(execution)
    return found["run"] if found else execution
