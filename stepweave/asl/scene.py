"""What emission knows of the whole DAG, shared by all frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stepweave.asl.budget import Budgets
from stepweave.asl.frames import Element, Layout
from stepweave.asl.reads import Reads, Sight, TolerantPositions
from stepweave.graph.model import Graph, Task
from stepweave.planning.placement import Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    graph: Graph
    layout: Layout
    reads: Reads
    sight: Sight
    tolerant: TolerantPositions
    budgets: Budgets
    placements: Mapping[str, Placement]

    @property
    def fail_fast(self) -> bool:
        return self.graph.dag.fail_fast

    def task(self, element: Element) -> Task:
        return self.graph[element.task]

    def on_batch(self, element: Element) -> bool:
        return element.kind == "run" and self.placements[element.task].compute == "batch"
