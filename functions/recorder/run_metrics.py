"""`metrics_line(run)`: how a run ended, in numbers, for CloudWatch.

A metric is one that an alarm or a dashboard reads. By DAG these are the two that Step Functions does not know itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime

from stepweave.runtime.emf import line
from stepweave.stores.run_table import DeployedRun

_COUNTED = {"success": "RunsSucceeded", "timed_out": "RunsTimedOut", "cancelled": "RunsAborted"}


def metrics_line(env: str, run: DeployedRun) -> str:
    """A line in the embedded metric format."""
    values: dict[str, float] = {_COUNTED.get(run.status, "RunsFailed"): 1}
    counted = tuple(values)
    started, ended, queued = _seconds(run.started), _seconds(run.ended), _seconds(run.queued)
    if started is not None and ended is not None:
        values["RunSeconds"] = round(ended - started, 3)
    if started is not None and queued is not None and run.attempt <= 1:
        values["RunQueuedSeconds"] = round(max(0.0, started - queued), 3)
    due = _scheduled(run)
    if started is not None and due is not None and run.attempt <= 1:
        values["ScheduleLagSeconds"] = round(max(0.0, started - due), 3)
    of_dag = tuple(name for name in ("RunQueuedSeconds", "ScheduleLagSeconds") if name in values)
    metrics: dict[tuple[str, ...], tuple[str, ...]] = {("env",): counted}
    if of_dag:
        metrics[("env", "dag")] = of_dag
    fields = {"env": env, "dag": run.dag, "run": run.run_id, "status": run.status}
    at = ended if ended is not None else started or 0.0
    return line(values, fields, metrics=metrics, timestamp_ms=round(at * 1000))


def fleet_line(env: str, counts: Mapping[str, int]) -> str:
    """A line about all DAGs of an environment, from what the reconciler found."""
    values = {"QueuedRuns": counts["queued"], "MissedSchedules": counts["missed"]}
    return line(
        values, {"env": env}, metrics={("env",): tuple(values)}, timestamp_ms=time.time_ns() // 1_000_000
    )


def _scheduled(run: DeployedRun) -> float | None:
    """When the schedule was due that started the run, in seconds since the epoch."""
    trigger = json.loads(run.facts.trigger or "{}")
    return _seconds(run.facts.logical_date) if trigger.get("source") == "schedule" else None


def _seconds(moment: str | None) -> float | None:
    return None if moment is None else datetime.fromisoformat(moment).timestamp()
