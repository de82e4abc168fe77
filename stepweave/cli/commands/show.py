"""``stepweave show``: one run and its tasks."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from stepweave.cli.answer import Answer
from stepweave.cli.found import (
    error_now,
    find_run,
    open_records,
    run_object_with_tasks,
    status_now,
    tasks_now,
)
from stepweave.cli.options import add_json, add_run, add_store
from stepweave.cli.progress.words import duration, reason
from stepweave.cli.screen import Table, print_table
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
    return Answer(run_object_with_tasks(row, tasks, store) if as_json else None)


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
