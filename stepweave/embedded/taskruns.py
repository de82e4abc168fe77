"""`TaskRuns`: what is known of every task of a run while it goes on, told to observers at each change.

none ─▶ scheduled ─▶ running ─▶ success | failed | skipped
            ▲           └─▶ up_for_retry | waiting ─┐   a task that never runs: upstream_failed | skipped
            └───────────────────────────────────────┘

A task run is named by task and index path (:mod:`stepweave.embedded.places`).
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

APPROVAL = "approval"
"""Message of a task run that waits for a person."""


@dataclass(slots=True)
class Items:
    """How far a mapped task or a loop is."""

    total: int | None = None
    """Items, or the most rounds; None until that is known."""
    are_rounds: bool = False
    success: int = 0
    failed: int = 0
    """Failed or upstream_failed."""
    skipped: int = 0

    @property
    def ended(self) -> int:
        return self.success + self.failed + self.skipped

    def count(self, status: Status | None) -> None:
        """Note that one more has ended as ``status``."""
        if status == "success":
            self.success += 1
        elif status == "skipped":
            self.skipped += 1
        else:
            self.failed += 1


@dataclass(slots=True)
class TaskRun:
    """One task of one run, for one index path. Times are seconds since the epoch."""

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
    index: str = ""
    """Index path; empty at the root."""
    label: str = ""
    """Name of the item, for people."""
    items: Items | None = None
    """How far it is, of a mapped task or a loop."""
    chosen: tuple[str, ...] | None = None
    """The cases that a condition or a branch chose."""
    level: str = ""
    """The rung of its ladder on which it ended; empty for the task itself."""
    inside: tuple[str, str] | None = None
    """DAG and run id, of a task of a run inside the one that is watched."""
    undone: str = ""
    """``success`` or ``failed``: how its compensation ended; empty when there was none."""

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
    """The task runs of one run."""

    def __init__(
        self,
        tasks: Iterable[str],
        observers: Sequence[Observer] = (),
        now: Callable[[], float] = time.time,
        *,
        inside: tuple[str, str] | None = None,
    ) -> None:
        """``inside``: DAG and run id, of a run inside the one that is watched."""
        self._inside = inside
        self.by_id: dict[str, TaskRun] = {task: TaskRun(task, inside=inside) for task in tasks}
        """Every task: itself at the root, a summary of its runs inside a body."""
        self.mapped: dict[str, dict[str, TaskRun]] = {}
        """Items, rounds and runs inside bodies, by task and index path."""
        self._observers = tuple(observers)
        self._now = now
        self.label_of: Callable[[str, str], str] = lambda task, index: ""
        """What names a new run of an item, from task and index path."""

    def at(self, task: str, index: str = "") -> TaskRun:
        """The task run of that name, new when nothing was known of it."""
        if not index:
            return self.by_id[task]
        runs = self.mapped.get(task)
        if runs is None:
            runs = self.mapped[task] = {}
        run = runs.get(index)
        if run is None:
            run = runs[index] = TaskRun(
                task, index=index, label=self.label_of(task, index), inside=self._inside
            )
        return run

    def recall(self, runs: Iterable[TaskRun]) -> None:
        """Know ``runs`` as they were recorded; nobody is told. Tasks that the DAG has no more are left out."""
        for run in runs:
            if run.task in self.by_id and run.index:
                self.mapped.setdefault(run.task, {})[run.index] = run
            elif run.task in self.by_id:
                self.by_id[run.task] = run

    def called(self, task: str, attempt: int, index: str = "") -> None:
        """The state machine calls for attempt number ``attempt`` (from 0) of ``task``."""
        run = self.at(task, index)
        run.status, run.scheduled = "scheduled", self._now()
        run.attempts = max(attempt + 1, run.attempts)
        if run.ready is None:
            run.ready = run.scheduled
        self._tell(run)

    def started(self, task: str, index: str = "") -> None:
        """The latest attempt begins to run."""
        run = self.at(task, index)
        run.status, run.started = "running", self._now()
        if run.scheduled is not None:
            run.waited_seconds += max(0.0, run.started - run.scheduled)
        if run.first_started is None:
            run.first_started = run.started
        self._tell(run)

    def began(self, task: str, at: float, index: str = "") -> None:
        """The latest attempt, which counts as running, really began at ``at``: its worker had to start first.

        Nobody is told; the end of the attempt is near.
        """
        run = self.at(task, index)
        if run.started is not None and at > run.started:
            run.waited_seconds += at - run.started
            if run.first_started == run.started:
                run.first_started = at
            run.started = at

    def waits(self, task: str, index: str = "", message: str = "") -> None:
        """The task holds no compute now: it waits for a person, a time or an event."""
        run = self.at(task, index)
        run.status, run.message = "waiting", message
        if run.started is None:
            run.started = run.first_started = self._now()
        self._tell(run)

    def goes_on(self, task: str, index: str = "") -> None:
        """A part of the task has begun: an item, a round, a task of its body."""
        run = self.at(task, index)
        if run.status in (None, "scheduled"):
            run.status, run.started = "running", self._now()
            run.ready = run.ready if run.ready is not None else run.started
            run.first_started = run.first_started if run.first_started is not None else run.started
            run.attempts = max(1, run.attempts)
            self._tell(run)

    def succeeded(
        self, task: str, record: Mapping[str, object], *, index: str = "", reused: bool = False
    ) -> None:
        """The latest attempt ended with ``record`` (see the contract in docs/architecture.md)."""
        run = self.at(task, index)
        value, ref, chosen = record.get("value"), record.get("ref"), record.get("chosen")
        run.value = value if isinstance(value, str) else None
        run.ref = ref if isinstance(ref, str) else None
        if isinstance(chosen, list):
            run.chosen = tuple(map(str, chosen))
        run.reused = reused
        run.error = run.message = ""
        self._end(run, "success")

    def failed(self, task: str, error: str, message: str, *, again: bool, index: str = "") -> None:
        """The latest attempt ended with ``error``; ``again``: another attempt follows."""
        run = self.at(task, index)
        run.error, run.message = error, message
        if again:
            run.status = "up_for_retry"
            self._tell(run)
        else:
            self._end(run, "failed")

    def skipped(self, task: str, message: str = "", index: str = "", error: str = "") -> None:
        """The task ended itself as skipped; with ``error``: it failed, and was optional."""
        run = self.at(task, index)
        run.error, run.message = error, message
        self._end(run, "skipped")

    def ended_as(self, task: str, status: Status, index: str = "") -> None:
        """A node ended whose end is not that of a call: what it did or what is in it decides."""
        run = self.at(task, index)
        if status in ("success", "skipped"):
            run.error = run.message = ""
        self._end(run, status)

    def dropped(self, task: str, index: str, status: Status) -> None:
        """What the task did does not count: it is as if it had not run."""
        run = self.at(task, index)
        run.value = run.ref = None
        run.error = run.message = ""
        run.status = status
        self._tell(run)

    def did_not_run(self, statuses: Mapping[str, Status], index: str = "") -> None:
        """Tasks that ended without running, with the status of each."""
        for task, status in statuses.items():
            run = self.at(task, index)
            run.status = status
            self._tell(run)

    def changed(self, task: str, index: str = "") -> None:
        """Tell that something else of a task run is known now."""
        self._tell(self.at(task, index))

    def interrupted(self) -> None:
        """The run stopped: what was going on has failed; what was not reached keeps no status."""
        for run in self.every_run():
            if run.status is not None and not run.has_ended:
                run.error, run.message = run.error or "Cancelled", run.message or "the run was stopped"
                self._end(run, "failed")

    def every_run(self) -> list[TaskRun]:
        """All task runs."""
        return [*self.by_id.values(), *(run for runs in self.mapped.values() for run in runs.values())]

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
