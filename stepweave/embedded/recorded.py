"""`task_run_of`: a recorded task run as it was while the run went on."""

from __future__ import annotations

import json
from typing import Any

from stepweave.embedded.taskruns import Items, TaskRun
from stepweave.stores.records import TaskRunRow


def task_run_of(row: TaskRunRow) -> TaskRun:
    """The task run of a row; what is not recorded is as for a new one."""
    record: dict[str, Any] = json.loads(row.record or "{}")
    detail: dict[str, Any] = json.loads(row.detail or "{}")
    run = TaskRun(row.task_id, row.status, row.attempts, index=row.map_index, label=row.label or "")
    run.ready, run.first_started, run.ended = row.scheduled_at, row.started_at, row.ended_at
    if row.ended_at is not None and row.duration_seconds is not None:
        run.started = row.ended_at - row.duration_seconds  # of the latest attempt
    run.waited_seconds = row.queued_seconds or 0.0
    run.error, run.message = row.error_type or "", row.error_message or ""
    run.value, run.ref = record.get("value"), record.get("ref")
    run.items = Items(**detail["items"]) if "items" in detail else None
    run.chosen = tuple(detail["chosen"]) if "chosen" in detail else None
    run.level, run.undone = detail.get("level", ""), detail.get("undone", "")
    run.reused = detail.get("reused", False)
    return run
