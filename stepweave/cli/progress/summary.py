"""`summary_lines`: a run that has ended: how it went, where time and results are, what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stepweave.cli.progress.words import (
    STYLES,
    SYMBOLS,
    count,
    duration,
    first_line,
    in_environment,
    in_store,
    is_cut,
    logs_command,
    name_of,
    notes,
    reason,
    resume_command,
    show_command,
)
from stepweave.embedded.places import every_task
from stepweave.embedded.result import RunResult
from stepweave.embedded.taskruns import TaskRun
from stepweave.embedded.timing import Breakdown
from stepweave.errors import TASKS_FAILED

MAX_LISTED = 10
"""Failed tasks, steps of the path and results that are named."""
MIN_SHARE = 0.01
"""Steps of the path that took less than this share of the run are summed up."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its style (``bold red``)."""

    text: str
    style: str = ""


def summary_lines(result: RunResult, env: str = "") -> list[Line]:
    """The summary of a run that has ended, on this machine or in the environment ``env``."""
    place = in_environment(env) if env else in_store(result.store)
    lines = [_headline(result)]
    lines += _failures(result, place, env)
    lines += _time(result.breakdown)
    lines += _results(result, place)
    if result.status != "success":
        lines += [
            Line(""),
            Line(f"Go on with what is missing: {resume_command(result.run_id, place)}"),
        ]
    return lines


def _headline(result: RunResult) -> Line:
    counts = Counter(run.status for run in result.tasks.values())
    named = ", ".join(f"{number:,} {status or 'not reached'}" for status, number in counts.most_common())
    symbol = SYMBOLS.get(result.status, "✗")
    return Line(
        f"{symbol} {result.run_id}: {result.status} in {duration(result.wall_seconds)}"
        f" ({count(len(result.tasks), 'task')}: {named})",
        f"bold {STYLES[result.status]}" if result.status != "failed" else STYLES["failed"],
    )


def _failures(result: RunResult, place: str, env: str) -> list[Line]:
    failed = _failed_runs(result)
    # The machine's own error names the failed tasks, which are listed here; any other error says something new.
    new = result.error if not failed or not result.error.startswith(TASKS_FAILED) else ""
    if not failed and not new:
        return []
    lines = [Line(""), Line("What failed", "bold")]
    if new:
        lines.append(Line(f"  {first_line(new, 400)}", "red"))
    for run in failed[:MAX_LISTED]:
        attempts = f" after {count(run.attempts, 'attempt')}" if run.attempts > 1 else ""
        why = "  ".join([*notes(run), *([reason(run.error, run.message)] if run.error else [])])
        lines.append(Line(f"  {name_of(run)}{attempts}: {why}", "red"))
        if is_cut(run):
            lines.append(Line(f"    all of it: {show_command(result.run_id, run, place)}"))
        log = result.log_paths.get((run.task, run.index))
        if log or env:
            lines.append(Line(f"    log: {log or logs_command(result.run_id, run, place)}"))
    if len(failed) > MAX_LISTED:
        lines.append(Line(f"  and {len(failed) - MAX_LISTED:,} more: stepweave show {result.run_id}{place}"))
    return lines


def _failed_runs(result: RunResult) -> list[TaskRun]:
    """What failed, as far as it says why: of a task in a body its runs, of a map first itself, then its items."""
    found: list[TaskRun] = []
    inner = {task.id for task in every_task(result.graph)} - {task.id for task in result.graph.tasks}
    for task, run in result.tasks.items():
        if run.status == "failed" and task not in inner:
            found.append(run)
        found += [item for item in result.maps.get(task, ()) if item.status == "failed" and item.error]
    return found


def _time(breakdown: Breakdown) -> list[Line]:
    if not breakdown.path:
        return []
    wall = max(breakdown.wall_seconds, 1e-9)
    shown = [
        step for step in breakdown.path if step.working_seconds + step.queued_seconds >= MIN_SHARE * wall
    ]
    shown = sorted(shown, key=lambda step: -step.working_seconds)[:MAX_LISTED]
    width = max((len(step.task) for step in shown), default=0)
    lines = [
        Line(""),
        Line(f"Where {duration(breakdown.wall_seconds)} went: the chain of tasks that ended last", "bold"),
    ]
    for step in (step for step in breakdown.path if step in shown):
        queued = (
            f"  after {duration(step.queued_seconds)} in the queue"
            if step.queued_seconds >= MIN_SHARE * wall
            else ""
        )
        lines.append(Line(f"  {step.task:<{width}}  {duration(step.working_seconds):>10}{queued}"))
    if len(shown) < len(breakdown.path):
        rest = sum(step.working_seconds for step in breakdown.path if step not in shown)
        lines.append(Line(f"  {count(len(breakdown.path) - len(shown), 'shorter task')}: {duration(rest)}"))
    lines.append(
        Line(
            f"  working {_share(breakdown.working_seconds, wall)}, waiting for a worker"
            f" {_share(breakdown.queued_seconds, wall)}, overhead {_share(breakdown.overhead_seconds, wall)}",
            "dim",
        )
    )
    return lines


def _share(seconds: float, wall: float) -> str:
    return f"{duration(seconds)} ({seconds / wall:.0%})"


def _results(result: RunResult, place: str) -> list[Line]:
    found: Sequence[tuple[str, str]] = result.results
    if not found:
        return []
    width = max(len(task) for task, _ in found[:MAX_LISTED])
    lines = [Line(""), Line("Results", "bold")]
    lines += [Line(f"  {task:<{width}}  {where}") for task, where in found[:MAX_LISTED]]
    if len(found) > MAX_LISTED:
        lines.append(Line(f"  and {len(found) - MAX_LISTED:,} more: stepweave show {result.run_id}{place}"))
    return lines
