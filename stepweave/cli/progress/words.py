"""How statuses, durations and sizes are written for people."""

from __future__ import annotations

from shlex import quote

from stepweave.cli.options import DEFAULT_STORE
from stepweave.embedded.taskruns import APPROVAL, Items, TaskRun

STYLES: dict[str | None, str] = {
    "success": "green",
    "failed": "bold red",
    "upstream_failed": "red",
    "skipped": "magenta",
    "running": "cyan",
    "up_for_retry": "yellow",
    "waiting": "yellow",
    "scheduled": "dim",
    "cancelled": "yellow",
    "timed_out": "bold red",
    "queued": "dim",
    None: "dim",
}
"""Colour of each status, in rich's words."""

SYMBOLS: dict[str | None, str] = {
    "success": "✓",
    "failed": "✗",
    "upstream_failed": "✗",
    "skipped": "–",
    "running": "●",
    "up_for_retry": "↻",
    "waiting": "…",
    "scheduled": "○",
    None: "·",
}


def duration(seconds: float) -> str:
    """``seconds`` as people say it: ``0.4 ms``, ``12 ms``, ``3.21 s``, ``2 min 5 s``, ``1 h 3 min``."""
    if seconds < 0.0095:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.995:
        return f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(number: int, noun: str) -> str:
    """``1 task``, ``2 tasks``, ``10,000 tasks``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def first_line(text: str, length: int = 200) -> str:
    """The first line of ``text`` that says something, without control characters, at most ``length`` characters."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    line = "".join(character for character in line if character.isprintable())
    return line if len(line) <= length else line[: length - 1] + "…"


def reason(error: str, message: str, length: int = 200) -> str:
    """Error class and message on one line: ``DataError: no rows``; either may be empty."""
    return first_line(": ".join(part for part in (error, message) if part), length)


def is_cut(run: TaskRun) -> bool:
    """Whether :func:`reason` leaves out something of what a task run says of its error."""
    return bool(run.error) and whole_reason(run) != reason(run.error, run.message)


def whole_reason(run: TaskRun) -> str:
    """Error class and the whole message, without control characters."""
    text = ": ".join(part for part in (run.error, run.message.strip()) if part)
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


def name_of(run: TaskRun) -> str:
    """The task, with the item or round that it is for: ``train``, ``train[3]``, ``train[3/0 xgboost]``."""
    if not run.index:
        return run.task
    return f"{run.task}[{run.index}{' ' if run.label else ''}{run.label}]"


def items_text(items: Items) -> str:
    """How far a map or a loop is: ``8,431/10,000 · 12 failed``, ``3 of at most 5 rounds``."""
    if items.are_rounds:
        return f"{items.ended:,} of at most {count(items.total or 0, 'round')}"
    total = f"/{items.total:,}" if items.total is not None else ""
    parts = [f"{items.ended:,}{total}"]
    if items.failed:
        parts.append(f"{items.failed:,} failed")
    if items.skipped:
        parts.append(f"{items.skipped:,} skipped")
    return " · ".join(parts)


def notes(run: TaskRun, run_id: str = "", place: str = "") -> list[str]:
    """What else there is to say of a task run: its items, what it chose, the rung that it is on, what it waits for."""
    found: list[str] = []
    if run.items is not None:
        found.append(items_text(run.items))
    if run.chosen is not None:
        found.append(f"chose {', '.join(run.chosen) or 'nothing'}")
    if run.level:
        found.append(f"on {run.level}")
    if run.undone:
        found.append("undone" if run.undone == "success" else "could not be undone")
    if run.status == "waiting" and run.message == APPROVAL:
        run_id = run.inside[1] if run.inside is not None else run_id
        found.append(f"waiting for approval: {approve_command(run_id, name_of_task(run), place)}")
    return found


def name_of_task(run: TaskRun) -> str:
    """How a task run is named on the command line: ``sign_off``, ``sign_off[3]``."""
    return f"{run.task}[{run.index}]" if run.index else run.task


def in_store(store: str) -> str:
    """The options that say where a run on this machine is."""
    return f" --store {store}" if store != DEFAULT_STORE else ""


def in_environment(env: str) -> str:
    """The options that say where a deployed run is."""
    return f" --env {env}"


def approve_command(run_id: str, task: str, place: str) -> str:
    """What to type to approve what a run waits for; ``place`` is of :func:`in_store` or :func:`in_environment`."""
    return f"stepweave approve {run_id} {quote(task)}{place}"


def show_command(run_id: str, run: TaskRun, place: str) -> str:
    """What to type to see all that is known of a task run."""
    return f"stepweave show {run_id} --task {quote(name_of_task(run))}{place}"


def logs_command(run_id: str, run: TaskRun, place: str) -> str:
    """What to type to see what a task run logged and printed."""
    return f"stepweave logs {run_id} {quote(name_of_task(run))}{place}"


def resume_command(run_id: str, place: str) -> str:
    """What to type to go on with a run."""
    return f"stepweave resume {run_id}{place}"
