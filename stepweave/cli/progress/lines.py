"""`LineView`: a run as plain lines, one per end or retry of a task, for pipes, files and CI."""

from __future__ import annotations

from typing import TextIO

from stepweave.cli.progress.words import duration, reason
from stepweave.embedded.taskruns import TaskRun


class LineView:
    """An observer of task runs that writes lines such as ``success          train  3.21 s``."""

    def __init__(self, out: TextIO, title: str = "") -> None:
        """``title`` is written at the first change, so that a run that cannot start shows its error alone."""
        self._out = out
        self._title = title

    def __call__(self, run: TaskRun) -> None:
        """Write a line when ``run`` has ended or is tried again."""
        if self._title:
            self._out.write(f"{self._title}\n")
            self._title = ""
        if not (run.has_ended or run.status == "up_for_retry"):
            return
        parts = [f"{run.status:<15}", run.task]
        if run.reused:
            parts.append("reused")
        elif run.attempts and run.has_ended:
            parts.append(duration(run.duration_seconds))
        if run.attempts > 1:
            parts.append(f"attempt {run.attempts}")
        why = reason(run.error, run.message)
        if why:
            parts.append(why)
        self._out.write("  ".join(parts) + "\n")
        self._out.flush()
