"""``stepweave plan``: what a DAG becomes."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from dataclasses import asdict

from stepweave.cli.answer import Answer
from stepweave.cli.options import add_json, add_target
from stepweave.cli.progress.words import count
from stepweave.compiler import Compiled, compile_graph
from stepweave.graph.specs import Places, written_count
from stepweave.loading import load
from stepweave.planning.placement import Placement
from stepweave.planning.profiles import DEFAULT

MAX_NAMED = 5
"""Machines whose names are printed."""


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_target(parser)
    add_json(parser)


def command(*, target: str, as_json: bool) -> Answer:
    """Show what a DAG becomes: states, transitions, gates, limits, and where each task runs and why.

    Example:
      stepweave plan statemachines/digits.py
    """
    compiled = compile_graph(load(target).graph())
    if not as_json:
        sys.stdout.write("\n".join(_lines(compiled)) + "\n")
    return Answer(asdict(compiled.report))


def _lines(compiled: Compiled) -> list[str]:
    report = compiled.report
    rows = (
        ("tasks", f"{report.tasks:,}", ""),
        ("machines", f"{report.machines:,}", _machines(compiled)),
        ("states", f"{report.states:,}", ""),
        ("transitions", f"{report.transitions:,}", f"on the success path{_counted(compiled)}"),
        ("gates", f"{report.gates:,}", "where the graph is not series-parallel"),
        ("signals", f"{report.signals:,}", ""),
        ("history", f"{report.history_events:,}", "events at worst, of 25,000"),
        ("definition", f"{report.definition_bytes:,}", "bytes, of 1,048,576"),
    )
    lines = [f"{report.dag_id}: {count(report.tasks, 'task')}", ""]
    lines += [f"  {label:<12}{number:>10}  {note}".rstrip() for label, number, note in rows]
    tasks = Places.of(compiled.graph).tasks
    placed = {
        name: placement
        for name, placement in compiled.placements.items()
        if name not in tasks or tasks[name].call  # rungs of a ladder have names of their own
    }
    width = max(map(len, placed), default=0)
    common = compiled.graph.dag.requirements
    lines += ["", "where tasks run" + (f", each with {', '.join(common)}" if common else "")]
    lines += [
        f"  {name:<{width}}  {placement.compute:<7} {placement.reason}{_profile(placement)}"
        for name, placement in placed.items()
    ]
    return lines


def _profile(placement: Placement) -> str:
    """What the function or image is made of, where it is not what most tasks have."""
    parts: list[str] = []
    if placement.profile is not None:
        own = placement.profile
        parts += [f"{own.memory_mib:,} MiB"] if own.memory_mib != DEFAULT.memory_mib else []
        parts += [f"{own.timeout_seconds} s"] if own.timeout_seconds != DEFAULT.timeout_seconds else []
        parts += [f"/tmp {own.ephemeral_mib:,} MiB"] if own.ephemeral_mib != DEFAULT.ephemeral_mib else []
    parts += [str(placement.fargate)] if placement.fargate is not None else []
    made_of = placement.profile or placement.image
    parts += made_of.requirements if made_of is not None else ()
    return f" ({', '.join(parts)})" if parts else ""


def _machines(compiled: Compiled) -> str:
    """The names of the machines besides the root's."""
    names = [name for name in compiled.machines.definitions if name]
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"the DAG's, and {', '.join(names[:MAX_NAMED])}{more}" if names else ""


def _counted(compiled: Compiled) -> str:
    """What the number of transitions takes for granted: how often maps and loops run is known only at run time."""
    tasks = Places.of(compiled.graph).tasks.values()
    lists = any(task.expansion is not None and written_count(task.expansion) is None for task in tasks)
    loops = any(task.loop is not None for task in tasks)
    parts = [
        *(["one item of each list of the run"] if lists else []),
        *(["one round of each loop"] if loops else []),
    ]
    return f", with {' and '.join(parts)}" if parts else ""
