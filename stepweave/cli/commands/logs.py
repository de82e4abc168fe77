"""``stepweave logs``: what the tasks of a run logged and printed."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import cast

from stepweave.cli.answer import Answer
from stepweave.cli.found import find_run, open_records
from stepweave.cli.lazy import environment_command
from stepweave.cli.options import add_env, add_json, add_run, add_store, positive
from stepweave.embedded.recorded import task_run_of
from stepweave.errors import UsageError
from stepweave.stores.layout import log_key, notice_prefix, task_prefix, undo_prefix
from stepweave.stores.objects import ObjectStore, open_store
from stepweave.stores.records import RunRow, TaskRunRow

_LOG = re.compile(r"/logs/(\d+)\.log$")
"""The end of the key of a log, with the attempt."""


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_run(parser)
    parser.add_argument("task", metavar="TASK", nargs="?", help="only this task, or one item of it: train[3]")
    parser.add_argument("--attempt", type=positive, metavar="N", help="only this attempt, from 1")
    follow = "go on with what is logged, until the run has ended (with --env)"
    parser.add_argument("--follow", "-f", action="store_true", help=follow)
    add_store(parser)
    add_env(parser)
    add_json(parser)


def command(
    *,
    run: str,
    task: str | None,
    attempt: int | None,
    follow: bool,
    store: str,
    env: str | None,
    as_json: bool,
) -> Answer:
    """Print what the tasks of a run, its callbacks and compensations logged and printed.

    Examples:
      stepweave logs latest
      stepweave logs latest train_svm --attempt 1
      stepweave logs latest --env prod --follow
    """
    if env is not None:
        return cast(Answer, environment_command("logs", store).logs(env, run, task, attempt, follow, as_json))
    if follow:
        raise UsageError("--follow is for deployed runs: name their environment with --env")
    records = open_records(store)
    row = find_run(records, run, store)
    opened = open_store(store)
    told = [log for log in _of_callbacks(opened, row) if task in (None, log[0])]
    rows = _chosen(records.task_runs(row.run_id), task, row) if task is None or not told else []
    found = [log for log in (*_logs(opened, row, rows), *told) if attempt in (None, log[1])]
    if not as_json:
        for task_id, number, text in found:
            if task is None or attempt is None:
                sys.stdout.write(f"==> {task_id}, attempt {number} <==\n")
            sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")
        if not found:
            sys.stdout.write("nothing was logged\n")
    return Answer(
        {"logs": [{"task": task_id, "attempt": number, "text": text} for task_id, number, text in found]}
    )


def _chosen(rows: list[TaskRunRow], task: str | None, run: RunRow) -> list[TaskRunRow]:
    ordered = sorted(rows, key=lambda row: (row.scheduled_at or float("inf"), row.task_id))
    if task is None:
        return ordered
    chosen = [row for row in ordered if task in (row.task_id, _name(row))]
    if not chosen:
        names = ", ".join(list(dict.fromkeys(row.task_id for row in ordered))[:20])
        raise UsageError(f"run {run.run_id} has no task {task!r} that ran; tasks: {names}")
    return chosen


def _logs(store: ObjectStore, run: RunRow, rows: list[TaskRunRow]) -> Iterator[tuple[str, int, str]]:
    """Task, attempt and text of each log; of a task that was undone also what its compensation printed."""
    for row in rows:
        prefix = task_prefix(run.dag_id, run.run_id, row.task_id, row.map_index)
        for number in range(row.attempts):
            content = store.get_or_none(log_key(prefix, number))
            if content:
                yield _name(row), number + 1, content.decode(errors="replace")
        if task_run_of(row).undone:
            yield from _below(store, undo_prefix(prefix), _name(row))


def _of_callbacks(store: ObjectStore, run: RunRow) -> Iterator[tuple[str, int, str]]:
    """What ``on_failure=`` and ``on_success=`` of the DAG printed, in each execution of the run."""
    for name in ("on_failure", "on_success"):
        yield from _below(store, notice_prefix(run.dag_id, run.run_id, name), name)


def _below(store: ObjectStore, prefix: str, name: str) -> Iterator[tuple[str, int, str]]:
    for key, size in store.list(prefix):
        found = _LOG.search(key)
        if found is not None and size:
            yield name, int(found[1]) + 1, store.get(key).decode(errors="replace")


def _name(row: TaskRunRow) -> str:
    return f"{row.task_id}[{row.map_index}]" if row.map_index else row.task_id
