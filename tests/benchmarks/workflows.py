"""Real workflows as graphs, and whether one is series-parallel, found without the planner."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stepweave.graph.model import DagInfo, FromTask, Graph, Task

DATA = Path(__file__).parent / "data" / "workflows.json.gz"

_LONGEST_SECONDS = 512.0
"""Longest duration after scaling: below 900 s, the time limit of a light task."""


@dataclass(frozen=True, slots=True)
class Workflow:
    """One graph of the data set, its durations scaled by a power of two, which no rounding notices."""

    name: str
    graph: Graph
    seconds: dict[str, float]

    @property
    def family(self) -> str:
        """The workflow system that ran it: ``nextflow``, ``pegasus``, …"""
        return self.name.partition("/")[0]

    def critical_path_seconds(self) -> float:
        """The makespan when every task starts as soon as its upstream tasks have ended."""
        ends: dict[str, float] = {}
        for task in self.graph.tasks:
            ends[task.id] = self.seconds[task.id] + max((ends[up] for up in task.upstream), default=0.0)
        return max(ends.values())


def workflows() -> Iterator[Workflow]:
    """Every graph of the data set, by name."""
    found: dict[str, list[tuple[float, list[int]]]] = json.loads(gzip.decompress(DATA.read_bytes()))
    for name in sorted(found):
        yield _workflow(name, found[name])


def _workflow(name: str, rows: list[tuple[float, list[int]]]) -> Workflow:
    tasks = []
    for index, (_, parents) in enumerate(rows):
        upstream = tuple(f"t{parent}" for parent in parents)
        arguments = tuple((up, FromTask(task=up)) for up in upstream)
        tasks.append(Task(id=f"t{index}", call=f"workflow:t{index}", upstream=upstream, arguments=arguments))
    scale = 1.0
    while max(seconds for seconds, _ in rows) * scale > _LONGEST_SECONDS:
        scale /= 2
    seconds = {f"t{index}": float(row[0]) * scale for index, row in enumerate(rows)}
    return Workflow(name, Graph(dag=DagInfo(id="workflow"), tasks=tuple(tasks)), seconds)


def is_series_parallel(graph: Graph) -> bool:
    """Whether the order of the tasks is series-parallel: it has no "N" (a→c, b→c, b→d and nothing else).

    Equally: every part of two or more tasks is in pieces when two tasks are joined where one precedes the other, or
    when they are joined where none does. (Corneil, Lerchs and Burlingham, Complement reducible graphs, 1981.)
    """
    related = _related(graph)
    parts = [(1 << len(graph.tasks)) - 1]
    while parts:
        part = parts.pop()
        if part.bit_count() <= 2:
            continue
        pieces = _pieces(part, related, joined=True)
        if len(pieces) == 1:
            pieces = _pieces(part, related, joined=False)
        if len(pieces) == 1:
            return False
        parts += pieces
    return True


def _related(graph: Graph) -> list[int]:
    """For each task, by index, the set (as bits) of the tasks before and after it."""
    index = {task.id: number for number, task in enumerate(graph.tasks)}
    before: list[int] = []
    for task in graph.tasks:
        found = 0
        for up in task.upstream:
            found |= before[index[up]] | 1 << index[up]
        before.append(found)
    related = list(before)
    for number, found in enumerate(before):
        for other in _bits(found):
            related[other] |= 1 << number
    return related


def _pieces(part: int, related: list[int], *, joined: bool) -> list[int]:
    """The connected pieces of ``part``, tasks being joined where they are ``related``, or else where they are not."""
    pieces, left = [], part
    while left:
        piece = frontier = left & -left
        while frontier:
            reached = 0
            for task in _bits(frontier):
                reached |= related[task] if joined else ~related[task]
            frontier = reached & left & ~piece
            piece |= frontier
        pieces.append(piece)
        left &= ~piece
    return pieces


def _bits(numbers: int) -> Iterator[int]:
    while numbers:
        lowest = numbers & -numbers
        yield lowest.bit_length() - 1
        numbers ^= lowest
