"""`RunRequest`: what to run and how. Light to import, as the command line needs it before all else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stepweave.authoring.dags import Dag

DEFAULT_STORE = ".stepweave"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run and how."""

    dag: Dag
    params: Mapping[str, Any] = field(default_factory=dict)
    """As given; defaults are added and everything is checked before anything runs."""
    run_id: str | None = None
    """None for a new one, of DAG, time and four characters."""
    target: str = ""
    """What names the DAG, for ``resume``."""
    inline: bool = False
    """Run tasks in this process, one at a time."""
    workers: int | None = None
    """Worker processes at most; None for as many as CPUs, at least 2."""
    store: str = DEFAULT_STORE
    """Folder of artifacts and records."""
    resume: bool = False
    """Go on with the run ``run_id``."""
    stopped: bool = False
    """Only clean up after the run ``run_id``, whose process was killed."""
    logical_date: str | None = None
    """The moment that the run stands for, as ISO 8601 text; None for none, or when resumed for the one it had."""
    needed: tuple[str, ...] = ()
    """Run only these tasks and what they need; empty for all."""
