"""What emission knows of the whole DAG, shared by all frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from stepweave.asl.budget import Budgets
from stepweave.asl.frames import Element, Layout, lay_out
from stepweave.asl.paths import TolerantPositions
from stepweave.asl.reads import Reads, analyse
from stepweave.asl.scopes.limits import INLINE_EVENTS, events_inside
from stepweave.asl.scopes.scope import Repeat, Scope
from stepweave.asl.sight import Sight
from stepweave.graph.model import Graph, Task
from stepweave.graph.specs import Places
from stepweave.planning.meetings import task_behind
from stepweave.planning.model import Plan, Signal
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
    places: Places
    """Where every node of the DAG stands, in all scenes the same."""
    repeats: dict[str, Repeat]
    """How often the states inside a Map or a loop run, by its name; filled in as they are emitted."""
    further: dict[str, dict[str, Any]]
    """Definitions of machines that run rounds of loops, by name; filled in as they are emitted."""
    inline_events: int
    """Events that the items of one inline Map may take."""
    scope: Scope | None = None
    """What the graph is the body of; None for the DAG itself."""

    @property
    def fail_fast(self) -> bool:
        return self.graph.dag.fail_fast

    def task(self, element: Element) -> Task:
        return self.graph[element.task]


def scene_of(graph: Graph, plan: Plan, placements: Mapping[str, Placement], places: Places) -> Scene:
    """The scene of a whole DAG."""
    layout = lay_out(graph, plan)
    reads = analyse(graph, layout)
    return Scene(
        **_derived(layout, reads),
        graph=graph,
        budgets=Budgets(graph, layout, reads),
        placements=placements,
        places=places,
        repeats={},
        further={},
        inline_events=INLINE_EVENTS,
    )


def scene_inside(outer: Scene, graph: Graph, plan: Plan, scope: Scope, copies: int) -> Scene:
    """The scene of ``graph``, the body of a node in ``outer``, of which ``copies`` may run side by side."""
    layout = lay_out(graph, plan, scope.node, outer.layout.end + 1)
    reads = analyse(graph, layout, scope.returns)
    return replace(
        outer,
        **_derived(layout, reads),
        graph=graph,
        budgets=Budgets(graph, layout, reads, copies),
        inline_events=events_inside(outer.graph[scope.node], outer.inline_events),
        scope=scope,
    )


def _derived(layout: Layout, reads: Reads) -> dict[str, Any]:
    """The parts of a scene that follow from its layout and reads."""
    return {
        "layout": layout,
        "reads": reads,
        "sight": Sight(reads),
        "tolerant": TolerantPositions(layout),
        "sent": sent_signals(layout),
    }
