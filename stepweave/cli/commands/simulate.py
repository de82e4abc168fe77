"""``stepweave simulate``: a DAG on a virtual clock."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from dataclasses import asdict

from stepweave.cli.answer import Answer
from stepweave.cli.assumptions import add_assumptions, cases_of, counts_of, known_seconds
from stepweave.cli.options import add_json, add_store, add_target
from stepweave.cli.progress.words import count, duration
from stepweave.embedded.places import every_task
from stepweave.loading import load
from stepweave.simulation.assumptions import DEFAULT_SECONDS
from stepweave.simulation.simulating import Simulation, simulate

MAX_NAMED = 10
"""Tasks of the critical path that are named before it is cut in the middle."""


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_target(parser)
    add_assumptions(parser)
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
    seconds = known_seconds(graph, store, durations)
    result = simulate(graph, seconds, items=counts_of(items), chosen=cases_of(choose))
    if not as_json:
        called = [task.id for task in every_task(graph) if task.call or task.approval is not None]
        known = sum(task in seconds for task in called)
        sys.stdout.write("\n".join(_lines(result, known, len(called))) + "\n")
    return Answer(asdict(result))


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
