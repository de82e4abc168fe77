"""`metrics_line(run)`: how a run ended, in numbers, for CloudWatch."""

from __future__ import annotations

import json
from datetime import datetime

from stepweave.runtime.emf import line
from stepweave.stores.run_table import DeployedRun


def metrics_line(env: str, run: DeployedRun) -> str:
    """A line in the embedded metric format."""
    values: dict[str, float] = {"RunSucceeded" if run.status == "success" else "RunFailed": 1}
    started, ended, queued = _seconds(run.started), _seconds(run.ended), _seconds(run.queued)
    if started is not None and ended is not None:
        values["RunSeconds"] = round(ended - started, 3)
    if started is not None and queued is not None and run.attempt <= 1:
        values["RunQueuedSeconds"] = round(max(0.0, started - queued), 3)
    due = _scheduled(run)
    if started is not None and due is not None and run.attempt <= 1:
        values["ScheduleLagSeconds"] = round(max(0.0, started - due), 3)
    fields = {"env": env, "dag": run.dag, "run": run.run_id, "status": run.status}
    at = ended if ended is not None else started or 0.0
    return line(values, fields, dimensions=[("env", "dag")], timestamp_ms=round(at * 1000))


def _scheduled(run: DeployedRun) -> float | None:
    """When the schedule was due that started the run, in seconds since the epoch."""
    trigger = json.loads(run.facts.trigger or "{}")
    return _seconds(run.facts.logical_date) if trigger.get("source") == "schedule" else None


def _seconds(moment: str | None) -> float | None:
    return None if moment is None else datetime.fromisoformat(moment).timestamp()
