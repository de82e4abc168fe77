"""`LiveView`: a run on a terminal while it goes on. One row per task, or one per group when there are many.

Drawn by rich's thread eight times a second from counts that each change keeps up to date, so a change costs
microseconds however many tasks there are, and the clock in the table also moves when nothing changes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stepweave.cli.progress.tally import Tally
from stepweave.cli.progress.words import (
    STYLES,
    SYMBOLS,
    count,
    duration,
    name_of,
    notes,
    reason,
)
from stepweave.embedded.taskruns import TaskRun

MAX_ROWS = 40
"""Above this, tasks are summed up by group."""
MAX_LISTED = 8
"""Running and failed tasks that are named then."""
REFRESHES_PER_SECOND = 8


class LiveView:
    """Context manager and observer of task runs."""

    def __init__(self, title: str, groups: Mapping[str, str], console: Console, place: str = "") -> None:
        """``title``: the run's id; ``groups``: the group of each task, in the order in which tasks are shown.

        ``place``: the options that say where the run is.
        """
        self._title = title
        self._tally = Tally(groups)
        self._runs: dict[str, TaskRun] = {task: TaskRun(task) for task in groups}
        self._item_failed: dict[str, TaskRun] = {}
        """The last item of each map that failed."""
        self._waiting: dict[tuple[str, ...], TaskRun] = {}
        """Items, and tasks of runs inside this one, that wait or waited for a person."""
        self._place = place
        self._is_paused = False
        self._began = time.time()
        self._console = console
        self._live = self._new_live()

    def _new_live(self) -> Live:
        return Live(
            get_renderable=self._render,
            console=self._console,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=False,
            vertical_overflow="crop",
        )

    def __enter__(self) -> LiveView:
        """Ready to draw: from the first change on, so that a run that cannot start shows its error alone."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Draw the end and leave it on the screen."""
        if self._live.is_started:
            self._live.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While something else is on the screen."""
        self._is_paused = True
        self._live.stop()
        try:
            yield
        finally:
            self._is_paused = False
            self._live = self._new_live()  # the old one would draw over what is on the screen now
            self._live.start()

    def __call__(self, run: TaskRun) -> None:
        """Note a change."""
        if not self._live.is_started and not self._is_paused:
            self._live.start()
        if run.inside is not None or (run.index and run.status == "waiting"):
            self._waiting[*(run.inside or ()), run.task, run.index] = run
        elif run.index or run.task not in self._runs:
            if run.status == "failed":
                self._item_failed[run.task] = run
        else:
            self._runs[run.task] = run
            self._tally(run)

    def _render(self) -> RenderableType:
        rows = min(MAX_ROWS, self._console.size.height - 4)
        body = self._each_task() if len(self._runs) <= rows else self._each_group()
        return Group(self._head(), body, *self._waiting_lines())

    def _head(self) -> RenderableType:
        head = Table.grid(padding=(0, 2))
        done, total = self._tally.ended, self._tally.total
        bar = ProgressBar(total=max(total, 1), completed=done, width=30)
        clock = duration(time.time() - self._began)
        head.add_row(Text(self._title, style="bold"), bar, f"{done:,}/{total:,}", Text(clock, style="dim"))
        return head

    def _waiting_lines(self) -> list[RenderableType]:
        waiting = [run for run in list(self._waiting.values()) if run.status == "waiting"][:MAX_LISTED]
        lines = [
            f"{SYMBOLS['waiting']} {name_of(run)}  {notes(run, self._title, self._place)[-1]}"
            for run in waiting
        ]
        return [Text(line, style=STYLES["waiting"], overflow="ellipsis", no_wrap=True) for line in lines]

    def _each_task(self) -> RenderableType:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for run in list(self._runs.values()):
            style = STYLES[run.status]
            more = [f"attempt {run.attempts}"] if run.attempts > 1 else []
            more += notes(run, self._title, self._place)
            table.add_row(
                Text(f"{SYMBOLS[run.status]} {run.task}", style=style, overflow="ellipsis", no_wrap=True),
                Text(run.status or "", style=style, no_wrap=True),
                Text(_elapsed(run), justify="right", no_wrap=True),
                Text("  ".join(more), style="dim", no_wrap=True),
                Text(self._why(run), style="red", overflow="ellipsis", no_wrap=True),
            )
        return table

    def _each_group(self) -> RenderableType:
        parts: list[RenderableType] = []
        room = max(3, self._console.size.height - 4 - 2 * MAX_LISTED)
        groups = sorted(self._tally.groups.items(), key=lambda item: -item[1].total())
        for name, counts in groups[:room]:
            line = Text(f"{name}  ", style="bold")
            for status, number in sorted(counts.items(), key=lambda item: item[0] or "~"):
                if number:
                    line.append(f"{number:,} {status or 'to come'}  ", style=STYLES[status])
            parts.append(line)
        if len(groups) > room:
            parts.append(Text(f"and {count(len(groups) - room, 'group')} more", style="dim"))
        for run in [
            *list(self._tally.active.values())[:MAX_LISTED],
            *list(self._tally.failed.values())[:MAX_LISTED],
        ]:
            more = "  ".join([_elapsed(run), *notes(run, self._title, self._place), self._why(run)])
            text = f"  {SYMBOLS[run.status]} {run.task}  {more}"
            parts.append(Text(text, style=STYLES[run.status], overflow="ellipsis", no_wrap=True))
        return Group(*parts)

    def _why(self, run: TaskRun) -> str:
        item = self._item_failed.get(run.task)
        if item is not None and not run.error:
            return f"{name_of(item)} {reason(item.error, item.message, 100)}"
        return reason(run.error, run.message, 100) if run.status != "waiting" else ""


def _elapsed(run: TaskRun) -> str:
    if run.status == "running" and run.started is not None:
        return duration(time.time() - run.started)
    if run.reused:
        return "reused"
    return duration(run.duration_seconds) if run.attempts and run.ended is not None else ""
