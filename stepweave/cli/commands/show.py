"""``stepweave show``: one run and its tasks."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from stepweave.cli.answer import Answer
from stepweave.cli.found import (
    error_now,
    find_run,
    open_records,
    run_object,
    status_now,
    tasks_now,
)
from stepweave.cli.options import add_json, add_run, add_store
from stepweave.cli.progress.words import duration, reason
from stepweave.cli.screen import Table, print_table
from stepweave.embedded.values import MAX_VALUE_CHARACTERS, json_value
from stepweave.stores.objects import ObjectStore, open_store
from stepweave.stores.records import RunRow, TaskRunRow


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_run(parser)
    add_store(parser)
    add_json(parser)


def command(*, run: str, store: str, as_json: bool) -> Answer:
    """Show one run and its tasks.

    Example:
      stepweave show latest
    """
    records = open_records(store)
    row = find_run(records, run, store)
    tasks = tasks_now(records, row)
    if not as_json:
        sys.stdout.write("\n".join(_head(row)) + "\n\n")
        print_table(_table(tasks))
    return Answer(_object(row, tasks, store) if as_json else None)


def _head(row: RunRow) -> list[str]:
    took = (
        duration(row.ended_at - row.started_at)
        if row.ended_at is not None and row.started_at is not None
        else ""
    )
    pairs = (
        ("run", row.run_id),
        ("dag", row.dag_id),
        ("status", status_now(row)),
        ("took", took),
        ("params", row.params if row.params != "{}" else ""),
        ("resumed", f"{row.resumes} times" if row.resumes else ""),
        ("error", error_now(row)),
    )
    return [f"{label:<8} {text}" for label, text in pairs if text]


def _table(tasks: Sequence[TaskRunRow]) -> Table:
    return Table(
        head=("TASK", "STATUS", "ATTEMPTS", "TOOK", "QUEUED", ""),
        rows=[
            (
                task.task_id,
                task.status or "not reached",
                str(task.attempts),
                duration(task.duration_seconds) if task.duration_seconds is not None else "",
                duration(task.queued_seconds) if task.queued_seconds else "",
                reason(task.error_type or "", task.error_message or ""),
            )
            for task in tasks
        ],
        status_column=1,
    )


def _object(row: RunRow, tasks: Sequence[TaskRunRow], store: str) -> dict[str, object]:
    """The run in the shape of ``stepweave run --json`` and more; small values come from the records or ``store``."""
    opened = open_store(store)
    return {**run_object(row), "tasks": {task.task_id: _task_object(row, task, opened) for task in tasks}}


def _task_object(run: RunRow, row: TaskRunRow, store: ObjectStore) -> dict[str, object]:
    found: dict[str, object] = {
        "status": row.status,
        "attempts": row.attempts,
        "duration_seconds": row.duration_seconds or 0.0,
    }
    if row.status == "success":
        inline = json.loads(row.record or "{}").get("value")
        value = json_value(store, run.dag_id, run.run_id, row.task_id, inline, MAX_VALUE_CHARACTERS)
        if value is not None:
            found["value"] = json.loads(value)
    if row.error_type:
        found["error"] = {"type": row.error_type, "message": row.error_message}
    return found
