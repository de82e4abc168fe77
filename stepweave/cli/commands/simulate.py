"""``stepweave simulate``: a DAG on a virtual clock."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Collection, Mapping
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path

from stepweave.cli.answer import Answer
from stepweave.cli.found import open_records
from stepweave.cli.options import add_json, add_store, add_target
from stepweave.cli.progress.words import count, duration
from stepweave.embedded.places import every_task
from stepweave.errors import UsageError
from stepweave.loading import load
from stepweave.simulation.assumptions import DEFAULT_SECONDS
from stepweave.simulation.simulating import Simulation, beyond_timeout, simulate

MAX_NAMED = 10
"""Tasks of the critical path that are named before it is cut in the middle."""


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_target(parser)
    parser.add_argument("--durations", metavar="FILE", help='JSON file: {"task_id": seconds}')
    items = "items of a map or rounds of a loop that only a run would know (default: 1); may be repeated"
    parser.add_argument("--items", action="append", default=[], metavar="TASK=N", help=items)
    choose = (
        "the case that a condition, or the task that a branch, chooses (default: the first); may be repeated"
    )
    parser.add_argument("--choose", action="append", default=[], metavar="TASK=CASE", help=choose)
    add_store(parser)
    add_json(parser)


def command(
    *,
    target: str,
    durations: str | None,
    items: list[str],
    choose: list[str],
    store: str,
    as_json: bool,
) -> Answer:
    """Run a DAG on a virtual clock: makespan, critical path, transitions and cost. No task is executed.

    A task takes what the file says, else its mean in the latest successful runs, else one second.

    Examples:
      stepweave simulate digits --durations durations.json
      stepweave simulate sweep --items train=500 --choose if=else
    """
    graph = load(target).graph()
    tasks = {task.id for task in every_task(graph)}
    seconds = dict(open_records(store).durations(graph.dag.id))
    if durations is not None:
        seconds |= _read(durations, tasks)
    counts = {name: _count(name, number) for name, number in _pairs(items, "--items").items()}
    result = simulate(graph, seconds, items=counts, chosen=_pairs(choose, "--choose"))
    for task, (takes, allowed) in beyond_timeout(graph, seconds).items():
        sys.stderr.write(
            f"warning: {task} takes {takes:g} s, but a run would end it after {allowed} s; raise its timeout\n"
        )
    if not as_json:
        called = [task.id for task in every_task(graph) if task.call or task.approval is not None]
        known = sum(task in seconds for task in called)
        sys.stdout.write("\n".join(_lines(result, known, len(called))) + "\n")
    return Answer(asdict(result))


def _pairs(texts: list[str], option: str) -> dict[str, str]:
    """``TASK=WHAT`` texts as a dict."""
    found: dict[str, str] = {}
    for text in texts:
        name, separator, what = text.partition("=")
        if not separator or not name or not what:
            raise UsageError(f"cannot read {option} {text!r}; expected TASK=WHAT, such as train=100")
        found[name] = what
    return found


def _count(name: str, text: str) -> int:
    if not text.isdecimal():
        raise UsageError(f"--items {name}={text}: expected a whole number of at least 0")
    return int(text)


def _read(file: str, tasks: Collection[str]) -> Mapping[str, float]:
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the durations file {file!r}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"the durations file {file!r} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f'the durations file {file!r} must hold a JSON object such as {{"task_id": 12.5}}')
    for task, seconds in found.items():
        if task not in tasks:
            near = get_close_matches(task, tasks, n=1)
            raise UsageError(
                f"the durations file {file!r} names the task {task!r}, which the DAG has not"
                + (f"; did you mean {near[0]!r}?" if near else "")
            )
        if (
            isinstance(seconds, bool)
            or not isinstance(seconds, int | float)
            or not 0 <= seconds < float("inf")
        ):
            raise UsageError(
                f"the duration of {task!r} in {file!r} must be seconds, 0 or more; got {seconds!r}"
            )
    return found


def _lines(result: Simulation, known: int, tasks: int) -> list[str]:
    path = list(result.critical_path)
    if len(path) > MAX_NAMED:
        left_out = len(path) - MAX_NAMED + 1
        path = [*path[: MAX_NAMED // 2], f"({count(left_out, 'more task')})", *path[-(MAX_NAMED // 2 - 1) :]]
    lines = [
        f"makespan       {duration(result.makespan_seconds)}",
        f"critical path  {duration(result.critical_path_seconds)}: {' → '.join(path)}",
        f"transitions    {result.transitions:,}",
        f"cost           {result.cost_usd:.6f} USD per run",
    ]
    if known < tasks:
        lines.append(f"{count(tasks - known, 'task')} of unknown duration taken as {DEFAULT_SECONDS:g} s")
    return lines
