"""`run_and_show`: a run with its view, its summary and its JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from stepweave.cli.answer import Answer
from stepweave.cli.lazy import module_named
from stepweave.cli.progress.lines import LineView
from stepweave.cli.progress.summary import summary_lines
from stepweave.cli.progress.tally import groups_of
from stepweave.cli.progress.words import in_store
from stepweave.cli.screen import paint
from stepweave.cli.task_objects import task_objects
from stepweave.embedded.needed import needed
from stepweave.embedded.node_values import NodeValues, NoValue
from stepweave.embedded.request import RunRequest
from stepweave.embedded.result import RunResult
from stepweave.embedded.run import run_dag
from stepweave.embedded.taskruns import Observer, TaskRun
from stepweave.embedded.values import MAX_VALUE_CHARACTERS
from stepweave.engine.workers import WorkerPool
from stepweave.runtime.run_ids import new_run_id
from stepweave.stores.objects import ObjectStore, open_store

SHOW_CURSOR = "\x1b[?25h"


def run_and_show(request: RunRequest, pool: WorkerPool | None, as_json: bool, ask: bool) -> Answer:
    """Run ``request``; people see it go on and then a summary, ``as_json`` answers one object.

    ``ask``: ask for approvals here, when a person sits at the terminal.
    """
    run_id = request.run_id or new_run_id(request.dag.id, datetime.now())
    request = replace(request, run_id=run_id)
    if as_json:
        result = run_dag(request, pool=pool)
        return Answer(run_object(result, open_store(result.store)), status=_status(result))
    with ExitStack() as shown:
        view, paused = shown.enter_context(_view(request, run_id))
        observers = [view]
        if ask and sys.stdin.isatty() and sys.stdout.isatty():
            asking = module_named("stepweave.cli.progress.asking")
            asker = asking.Asker(request.dag.id, run_id, request.store, paused or asking.nothing)
            observers.append(shown.enter_context(asker))
        result = run_dag(request, observers=observers, on_interrupt=_say_interrupted, pool=pool)
    lines = [paint(line.text, line.style) for line in summary_lines(result)]
    sys.stdout.write("\n".join(["", *lines]) + "\n")
    return Answer(None, status=_status(result))


def run_object(result: RunResult, store: ObjectStore) -> dict[str, object]:
    """The JSON object of ``stepweave run --json``; small values come from the records or from ``store``."""
    values = NodeValues(result, store)

    def value_of(run: TaskRun) -> dict[str, object]:
        try:
            return {"value": values.of(run, MAX_VALUE_CHARACTERS)}
        except NoValue:
            return {}

    return {
        "run_id": result.run_id,
        "dag_id": result.dag_id,
        "status": result.status,
        "tasks": task_objects(result.tasks, result.maps, value_of),
        "wall_seconds": round(result.wall_seconds, 6),
    }


def _status(result: RunResult) -> int:
    return 0 if result.status == "success" else 1


@contextmanager
def _view(request: RunRequest, title: str) -> Iterator[tuple[Observer, Callable[[], Any] | None]]:
    """A live table on a terminal, lines elsewhere and with ``--inline``, where a debugger may need the terminal.

    With what makes it stand still, where that is needed for something else on the screen.
    """
    place = in_store(request.store)
    if request.inline or not sys.stdout.isatty():
        yield LineView(sys.stdout, title, place), None
        return
    # rich is needed on terminals only; a run in a pipe or with --json starts 0.1 s faster without it.
    whole = request.dag.graph()
    graph = needed(whole, request.needed) if request.needed else whole
    live = module_named("stepweave.cli.progress.live")
    console = module_named("rich.console").Console()
    with live.LiveView(title, groups_of(graph), console, place) as view:
        yield view, view.paused


def _say_interrupted(again: bool) -> None:
    if again:
        sys.stdout.write(SHOW_CURSOR if sys.stdout.isatty() else "")
    else:
        sys.stderr.write(
            "\nstopping the tasks that run, then cleaning up; press Ctrl-C again to exit at once\n"
        )
    sys.stdout.flush()
