"""`LineView`: a run as plain lines, one per end or retry of a task, for pipes, files and CI."""

from __future__ import annotations

from typing import TextIO

from stepweave.cli.progress.words import duration, name_of, notes, reason
from stepweave.embedded.taskruns import APPROVAL, TaskRun


class LineView:
    """An observer of task runs that writes lines such as ``success          train  3.21 s``.

    Of items and of tasks in bodies only what did not succeed: there may be ten thousand of them.
    """

    def __init__(self, out: TextIO, title: str = "", place: str = "") -> None:
        """``title``, the run's id, is written at the first change: a run that cannot start shows its error alone.

        ``place``: the options that say where the run is.
        """
        self._out = out
        self._title, self._run_id, self._place = title, title, place

    def __call__(self, run: TaskRun) -> None:
        """Write a line when ``run`` has ended, is tried again or waits for a person."""
        if self._title:
            self._out.write(f"{self._title}\n")
            self._title = ""
        if not self._is_told(run):
            return
        parts = [f"{run.status:<15}", name_of(run)]
        if run.reused:
            parts.append("reused")
        elif run.attempts and run.has_ended:
            parts.append(duration(run.duration_seconds))
        if run.attempts > 1:
            parts.append(f"attempt {run.attempts}")
        parts += notes(run, self._run_id, self._place)
        why = reason(run.error, run.message) if run.status != "waiting" else ""
        if why:
            parts.append(why)
        self._out.write("  ".join(parts) + "\n")
        self._out.flush()

    @staticmethod
    def _is_told(run: TaskRun) -> bool:
        if run.status == "waiting":
            return run.message == APPROVAL
        if run.index and run.status in ("success", "skipped", "upstream_failed"):
            return False
        return run.has_ended or run.status == "up_for_retry"
