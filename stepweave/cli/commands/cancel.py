"""``stepweave cancel``: stop a run that another process is running."""

from __future__ import annotations

import os
import signal
import sys
import time
from argparse import ArgumentParser
from dataclasses import replace
from typing import cast

from stepweave.cli.again import request_of
from stepweave.cli.answer import Answer
from stepweave.cli.found import find_run, open_records, root_of
from stepweave.cli.lazy import environment_command
from stepweave.cli.options import add_env, add_json, add_run, add_store
from stepweave.cli.progress.words import in_store, resume_command
from stepweave.embedded.control import tell
from stepweave.embedded.processes import is_alive
from stepweave.embedded.run import run_dag
from stepweave.errors import StepweaveError
from stepweave.stores.record_writer import RecordWriter
from stepweave.stores.records import Records, RunRow, database_path

PATIENCE_SECONDS = 600.0
"""How long the other process may take to stop its tasks and to clean up."""


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_run(parser)
    add_store(parser)
    add_env(parser)
    add_json(parser)


def command(*, run: str, store: str, env: str | None, as_json: bool) -> Answer:
    """Stop a run that is going on: its tasks are stopped, then it is cleaned up after; what succeeded stays.

    Cleaning up is running the tear-downs of what was set up, and undoing what has a compensation. A run whose process
    was killed is cleaned up after here; one of an environment there. The run can be resumed.

    Examples:
      stepweave cancel latest
      stepweave cancel latest --env dev
    """
    if env is not None:
        return cast(Answer, environment_command("cancel", store).cancel(env, run, as_json))
    records = open_records(store)
    row = root_of(records, find_run(records, run, store))
    status = _cancel(records, row, store)
    if not as_json:
        note = (
            f"; go on with: {resume_command(row.run_id, in_store(store))}"
            if status == "cancelled"
            else " already"
        )
        sys.stdout.write(f"{row.run_id}: {status}{note}\n")
    return Answer({"run_id": row.run_id, "dag_id": row.dag_id, "status": status})


def _cancel(records: Records, row: RunRow, store: str) -> str:
    if row.status not in ("running", "queued"):
        return row.status
    if row.pid is not None and is_alive(row.pid, row.pid_started_at):
        # A run that runs a task in its own process hears signals only.
        if not tell(store, row.run_id, {"do": "cancel"}):
            os.kill(row.pid, signal.SIGTERM)
        return _wait(records, row)
    if row.target:
        result = run_dag(replace(request_of(row, store), stopped=True))
        return result.status
    with RecordWriter(database_path(store)) as writer:
        ended = {"status": "cancelled", "ended_at": time.time(), "error": "the process that ran it ended"}
        writer.update_run(row.run_id, dag_id=row.dag_id, **ended)
    return "cancelled"


def _wait(records: Records, row: RunRow) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        now = records.run(row.run_id)
        if now is not None and now.status not in ("running", "queued"):
            return now.status
        time.sleep(0.05)
    raise StepweaveError(
        f"process {row.pid} was asked to stop run {row.run_id} but has not within {PATIENCE_SECONDS:g} s; "
        f"it may be cleaning up; ask again to end it at once, or end the process: kill -9 {row.pid}"
    )
