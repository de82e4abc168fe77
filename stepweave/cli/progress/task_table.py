"""`print_tasks`: the tasks of a run, a row each, and on demand what else they say."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from stepweave.authoring.suggest import did_you_mean
from stepweave.cli.progress.words import (
    duration,
    is_cut,
    logs_command,
    name_of,
    name_of_task,
    notes,
    reason,
    show_command,
    whole_reason,
)
from stepweave.cli.screen import Table, print_table
from stepweave.embedded.taskruns import TaskRun
from stepweave.errors import UsageError


def named_tasks(tasks: Sequence[TaskRun], run_id: str, task: str | None) -> list[TaskRun]:
    """Those of ``tasks`` that ``task`` names (``train`` with its items, ``train[3]``); without it all."""
    chosen = [run for run in tasks if task in (None, run.task, name_of_task(run))]
    if not chosen and task is not None:
        known = dict.fromkeys(run.task for run in tasks)
        raise UsageError(f"run {run_id} has no task {task!r}; {did_you_mean(task, known)}")
    return chosen


def print_tasks(tasks: Sequence[TaskRun], run_id: str, place: str, *, every: bool, whole: bool) -> None:
    """Write a table of ``tasks``; with ``whole`` every error as it is, else where the whole of one is shown.

    ``place``: the options that say where the run is.
    """
    print_table(task_table(tasks, run_id, place, every=every or whole))
    if whole:
        for run in tasks:
            if run.error:
                log = logs_command(run_id, run, place)
                sys.stdout.write(f"\n{name_of(run)}: {whole_reason(run)}\nlog: {log}\n")
    elif (first := next((run for run in tasks if is_cut(run)), None)) is not None:
        sys.stdout.write(f"\nErrors are cut; all of one: {show_command(run_id, first, place)}\n")


def task_table(tasks: Sequence[TaskRun], run_id: str, place: str, *, every: bool) -> Table:
    """A row for each task, and for each item or task in a body that failed; for all of those with ``every``.

    ``place``: the options that say where the run is.
    """
    shown = [run for run in tasks if every or not run.index or run.status == "failed"]
    return Table(
        head=("TASK", "STATUS", "ATTEMPTS", "TOOK", "QUEUED", ""),
        rows=[
            (
                name_of(run),
                run.status or "not reached",
                str(run.attempts),
                duration(run.duration_seconds) if run.ended is not None and run.attempts else "",
                duration(run.waited_seconds) if run.waited_seconds else "",
                "  ".join(_notes(run, run_id, place)),
            )
            for run in shown
        ],
        status_column=1,
    )


def _notes(run: TaskRun, run_id: str, place: str) -> list[str]:
    why = reason(run.error, run.message) if run.status != "waiting" else ""
    return [*notes(run, run_id, place), *([why] if why else [])]
