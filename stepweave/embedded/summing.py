"""`sum_up`: what the runs of a task inside bodies come to, for those who ask about the task as such."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from stepweave.embedded.places import Place, depth_of, every_task
from stepweave.embedded.taskruns import Status, TaskRun, TaskRuns
from stepweave.graph.model import Task

_WORST_FIRST: tuple[Status, ...] = (
    "failed", "upstream_failed", "running", "up_for_retry", "waiting", "scheduled", "success", "skipped",
)  # fmt: skip


def sum_up(runs: TaskRuns, places: Mapping[str, Place]) -> None:
    """Give each task inside a body the status of the worst of its runs, or that of its node where it has none."""
    for place in places.values():
        if place.task.speculation is not None:
            # What began before it was known that it does not count may have ended after.
            for run in [runs.by_id[place.task.id], *runs.mapped.get(place.task.id, {}).values()]:
                drop(place.task, run, runs)
    for task, place in places.items():
        if place.node is None:
            continue
        own = [run for run in runs.mapped.get(task, {}).values() if depth_of(run.index) == place.depth]
        if own:
            add_up(runs.by_id[task], own)
        elif place.depth or runs.by_id[task].status is None:
            around = runs.by_id[place.node].status
            runs.by_id[task].status = around if around in ("skipped", "upstream_failed") else None


def drop(node: Task, run: TaskRun, runs: TaskRuns) -> None:
    """Where the speculation ``node`` did not count, nothing in it does."""
    if run.status not in ("skipped", "upstream_failed") or node.body is None:
        return
    beginning = f"{run.index}/" if run.index else ""
    for inner in every_task(node.body.graph):
        found = [runs.by_id[inner.id]] if not run.index else []
        known = runs.mapped.get(inner.id, {})
        found += [known[index] for index in known if index == run.index or index.startswith(beginning)]
        for one in found:
            if one.status != run.status:
                runs.dropped(one.task, one.index, run.status)


def in_order(runs: Iterable[TaskRun]) -> list[TaskRun]:
    """``runs`` of one task by their index paths, as numbers."""
    return sorted(runs, key=lambda run: tuple(map(int, run.index.split("/"))))


def add_up(total: TaskRun, runs: Sequence[TaskRun]) -> None:
    """Make ``total`` what ``runs`` of one task come to: the worst status, from the first start to the last end."""
    present = {run.status for run in runs}
    total.status = next((status for status in _WORST_FIRST if status in present), None)
    total.attempts = max(run.attempts for run in runs)
    total.first_started = total.started = _least(run.first_started for run in runs)
    ends = [run.ended for run in runs if run.ended is not None]
    total.ended = max(ends, default=None)
    total.ready = _least(run.ready for run in runs)
    failed = next((run for run in runs if run.status == "failed"), None)
    if failed is not None:
        total.error, total.message = failed.error, failed.message


def _least(times: Iterable[float | None]) -> float | None:
    return min((time for time in times if time is not None), default=None)
