"""`task_table`: the tasks of a run, a row each."""

from __future__ import annotations

from collections.abc import Sequence

from stepweave.cli.progress.words import duration, name_of, notes, reason
from stepweave.cli.screen import Table
from stepweave.embedded.taskruns import TaskRun


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
