"""`where_time_went`: the chain of tasks that decided how long a run took, and what the rest of the time was.

wall = working (tasks of the chain) + queued (they were called for, but no worker was free) + overhead (everything else)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stepweave.embedded.taskruns import TaskRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A task of the chain, in seconds."""

    task: str
    working_seconds: float
    """From its first start to its end, retries and their waits included."""
    queued_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Where the wall time of a run went, in seconds."""

    wall_seconds: float
    working_seconds: float
    queued_seconds: float
    overhead_seconds: float
    path: tuple[Step, ...]
    """The chain, first task first."""


def where_time_went(
    upstream: Mapping[str, Sequence[str]], runs: Mapping[str, TaskRun], wall_seconds: float
) -> Breakdown:
    """The breakdown of ``wall_seconds`` along the chain that ends with the task that ended last."""
    ran = {task: run for task, run in runs.items() if run.ended is not None and run.first_started is not None}
    steps: list[Step] = []
    run = max(ran.values(), key=_ended, default=None)
    while run is not None:
        previous = _latest_before(run.task, upstream, ran)
        steps.append(_step(run, previous))
        run = previous
    working = sum(step.working_seconds for step in steps)
    queued = sum(step.queued_seconds for step in steps)
    return Breakdown(
        wall_seconds=wall_seconds,
        working_seconds=working,
        queued_seconds=queued,
        overhead_seconds=max(0.0, wall_seconds - working - queued),
        path=tuple(reversed(steps)),
    )


def critical_path(
    upstream: Mapping[str, Sequence[str]], durations: Mapping[str, float]
) -> tuple[tuple[str, ...], float]:
    """The longest chain by ``durations`` and its length; ``upstream`` in topological order, a missing duration is 0.

    Example: ``critical_path({"a": (), "b": ("a",)}, {"a": 1, "b": 2})`` is ``(("a", "b"), 3.0)``.
    """
    ends: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for task, parents in upstream.items():
        latest = max(parents, key=lambda parent: ends[parent], default=None)
        before[task] = latest
        ends[task] = (ends[latest] if latest is not None else 0.0) + durations.get(task, 0.0)
    task_or_none = max(ends, key=lambda task: ends[task], default=None)
    length = ends[task_or_none] if task_or_none is not None else 0.0
    path: list[str] = []
    while task_or_none is not None:
        path.append(task_or_none)
        task_or_none = before[task_or_none]
    return tuple(reversed(path)), length


def _ended(run: TaskRun) -> float:
    return run.ended or 0.0


def _step(run: TaskRun, previous: TaskRun | None) -> Step:
    start, ready = run.first_started or 0.0, run.ready if run.ready is not None else run.first_started or 0.0
    if previous is not None:
        ready = max(ready, _ended(previous))
    return Step(
        task=run.task, working_seconds=max(0.0, _ended(run) - start), queued_seconds=max(0.0, start - ready)
    )


def _latest_before(
    task: str, upstream: Mapping[str, Sequence[str]], ran: Mapping[str, TaskRun]
) -> TaskRun | None:
    """The nearest upstream task run that ended last; through tasks that did not run, their upstream is looked at."""
    latest: TaskRun | None = None
    pending, seen = list(upstream.get(task, ())), set[str]()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        run = ran.get(name)
        if run is None:
            pending.extend(upstream.get(name, ()))
        elif latest is None or _ended(run) > _ended(latest):
            latest = run
    return latest
