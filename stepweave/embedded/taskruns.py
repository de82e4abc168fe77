"""`TaskRuns`: what is known of every task of a run while it goes on, told to observers at each change.

none ─▶ scheduled ─▶ running ─▶ success | failed | skipped
            ▲           └─▶ up_for_retry ─┐           a task that never runs: upstream_failed | skipped
            └─────────────────────────────┘
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Status = Literal[
    "scheduled", "running", "up_for_retry", "waiting", "success", "failed", "skipped", "upstream_failed"
]

ENDED: frozenset[str] = frozenset({"success", "failed", "skipped", "upstream_failed"})
"""Statuses in which a task run stays."""


@dataclass(slots=True)
class TaskRun:
    """One task of one run. Times are seconds since the epoch."""

    task: str
    status: Status | None = None
    """None until the state machine reaches the task."""
    attempts: int = 0
    """Attempts begun."""
    ready: float | None = None
    """When the state machine first called for it."""
    scheduled: float | None = None
    """When the latest attempt was called for."""
    first_started: float | None = None
    started: float | None = None
    """When the latest attempt began to run."""
    ended: float | None = None
    waited_seconds: float = 0.0
    """Time between being called for and running, over all attempts."""
    error: str = ""
    """Class name of the latest error."""
    message: str = ""
    """Text of the latest error."""
    value: str | None = None
    """The result as JSON text, when it came inline."""
    ref: str | None = None
    """Key of the result in the store, when it did not."""
    reused: bool = False
    """Committed by an earlier attempt at this run and not run again."""

    @property
    def duration_seconds(self) -> float:
        """Length of the latest attempt; 0 for a task that did not run."""
        return self.ended - self.started if self.ended is not None and self.started is not None else 0.0

    @property
    def has_ended(self) -> bool:
        """True when the status is final."""
        return self.status in ENDED


Observer = Callable[[TaskRun], None]
"""Called after each change with the task run that changed; must return at once."""


class TaskRuns:
    """The task runs of one run, by task id."""

    def __init__(
        self, tasks: Iterable[str], observers: Sequence[Observer] = (), now: Callable[[], float] = time.time
    ) -> None:
        self.by_id: dict[str, TaskRun] = {task: TaskRun(task) for task in tasks}
        self._observers = tuple(observers)
        self._now = now

    def called(self, task: str, attempt: int) -> None:
        """The state machine calls for attempt number ``attempt`` (from 0) of ``task``."""
        run = self.by_id[task]
        run.status, run.scheduled = "scheduled", self._now()
        run.attempts = max(attempt + 1, run.attempts)
        if run.ready is None:
            run.ready = run.scheduled
        self._tell(run)

    def started(self, task: str) -> None:
        """The latest attempt begins to run."""
        run = self.by_id[task]
        run.status, run.started = "running", self._now()
        if run.scheduled is not None:
            run.waited_seconds += max(0.0, run.started - run.scheduled)
        if run.first_started is None:
            run.first_started = run.started
        self._tell(run)

    def began(self, task: str, at: float) -> None:
        """The latest attempt, which counts as running, really began at ``at``: its worker had to start first.

        Nobody is told; the end of the attempt is near.
        """
        run = self.by_id[task]
        if run.started is not None and at > run.started:
            run.waited_seconds += at - run.started
            if run.first_started == run.started:
                run.first_started = at
            run.started = at

    def succeeded(self, task: str, record: Mapping[str, object], *, reused: bool = False) -> None:
        """The latest attempt ended with ``record`` (see the contract in docs/architecture.md)."""
        run = self.by_id[task]
        value, ref = record.get("value"), record.get("ref")
        run.value = value if isinstance(value, str) else None
        run.ref = ref if isinstance(ref, str) else None
        run.reused = reused
        run.error = run.message = ""
        self._end(run, "success")

    def failed(self, task: str, error: str, message: str, *, again: bool) -> None:
        """The latest attempt ended with ``error``; ``again``: another attempt follows."""
        run = self.by_id[task]
        run.error, run.message = error, message
        if again:
            run.status = "up_for_retry"
            self._tell(run)
        else:
            self._end(run, "failed")

    def skipped(self, task: str, message: str = "") -> None:
        """The task ended itself as skipped."""
        run = self.by_id[task]
        run.error, run.message = "", message
        self._end(run, "skipped")

    def did_not_run(self, statuses: Mapping[str, Status]) -> None:
        """Tasks that ended without running, with the status of each."""
        for task, status in statuses.items():
            run = self.by_id[task]
            run.status = status
            self._tell(run)

    def interrupted(self) -> None:
        """The run stopped: what was going on has failed; what was not reached keeps no status."""
        for run in self.by_id.values():
            if run.status is not None and not run.has_ended:
                run.error, run.message = run.error or "Cancelled", run.message or "the run was stopped"
                self._end(run, "failed")

    def statuses(self) -> dict[str, Status]:
        """Status of each task that has ended."""
        return {
            task: run.status
            for task, run in self.by_id.items()
            if run.status in ENDED and run.status is not None
        }

    def _end(self, run: TaskRun, status: Status) -> None:
        run.status, run.ended = status, self._now()
        if run.started is None:
            run.started = run.first_started = run.ended
        self._tell(run)

    def _tell(self, run: TaskRun) -> None:
        for observer in self._observers:
            observer(run)
