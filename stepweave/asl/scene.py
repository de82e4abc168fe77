"""What emission knows of the whole DAG, shared by all frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stepweave.asl.budget import Budgets
from stepweave.asl.frames import Element, Layout
from stepweave.asl.reads import Reads, Sight, TolerantPositions
from stepweave.graph.model import Graph, Task
from stepweave.planning.meetings import task_behind
from stepweave.planning.model import Signal
from stepweave.planning.placement import Placement


@dataclass(frozen=True, slots=True)
class Sent:
    """A signal and where it goes, by position."""

    low: int
    signal: Signal
    gates: tuple[int, ...]
    """Position of the task behind each gate."""
    first_gate: int
    last_gate: int


def sent_signals(layout: Layout) -> tuple[Sent, ...]:
    """All signals in the order of their positions."""
    found = []
    for element in layout.elements:
        if element.signal is not None:
            gates = tuple(layout.runs[task_behind(gate)].low for gate in element.signal.gates)
            found.append(Sent(element.low, element.signal, gates, min(gates), max(gates)))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that the states of one frame may depend on."""

    graph: Graph
    layout: Layout
    reads: Reads
    sight: Sight
    tolerant: TolerantPositions
    budgets: Budgets
    placements: Mapping[str, Placement]
    sent: tuple[Sent, ...]

    @property
    def fail_fast(self) -> bool:
        return self.graph.dag.fail_fast

    def task(self, element: Element) -> Task:
        return self.graph[element.task]
