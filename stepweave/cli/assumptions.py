"""What a simulation is told on the command line: durations, items, decisions. `simulate` and `cost` take the same."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from stepweave.cli.found import open_records
from stepweave.embedded.places import every_task
from stepweave.errors import UsageError
from stepweave.graph.model import Graph
from stepweave.simulation.simulating import beyond_timeout


def add_assumptions(parser: ArgumentParser) -> None:
    """``--durations FILE``, ``--items TASK=N``, ``--choose TASK=CASE``."""
    parser.add_argument("--durations", metavar="FILE", help='JSON file: {"task_id": seconds}')
    items = "items of a map or rounds of a loop that only a run would know (default: 1); may be repeated"
    parser.add_argument("--items", action="append", default=[], metavar="TASK=N", help=items)
    choose = (
        "the case that a condition, or the task that a branch, chooses (default: the first); may be repeated"
    )
    parser.add_argument("--choose", action="append", default=[], metavar="TASK=CASE", help=choose)


def known_seconds(graph: Graph, store: str, durations: str | None) -> dict[str, float]:
    """Seconds of each task of which something is known: by the file, else by the latest successful runs.

    Warns on standard error of tasks that a run would end by their timeout.
    """
    seconds = dict(open_records(store).durations(graph.dag.id))
    if durations is not None:
        seconds |= _read(durations, {task.id for task in every_task(graph)})
    for task, (takes, allowed) in beyond_timeout(graph, seconds).items():
        sys.stderr.write(
            f"warning: {task} takes {takes:g} s, but a run would end it after {allowed} s; raise its timeout\n"
        )
    return seconds


def counts_of(texts: Sequence[str]) -> dict[str, int]:
    """``--items`` as numbers by task."""
    return {name: _count(name, number) for name, number in _pairs(texts, "--items").items()}


def cases_of(texts: Sequence[str]) -> dict[str, str]:
    """``--choose`` as cases by task."""
    return _pairs(texts, "--choose")


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
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
