"""The compiler: graph → plan → machines, wired, with every limit proven.

compile_graph(graph)
  place      each task on Lambda or Batch
  plan       exact arrangement (planning.plan)
  cut        into nested machines where a limit would be passed (planning.partition)
  emit       definitions (asl.machines)
  measure    the result against the limits; cut finer if an estimate fell short
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from stepweave import collector
from stepweave.asl import measure
from stepweave.asl.estimates import Estimate, limits_of
from stepweave.asl.machines import Machines, to_bytes, to_machines
from stepweave.errors import DagError, Problem
from stepweave.graph.model import Graph
from stepweave.graph.specs import Places
from stepweave.planning.model import Await, Plan, Signal, walk
from stepweave.planning.partition import MAX_DEFINITION_BYTES, MAX_HISTORY_EVENTS, cut
from stepweave.planning.placement import Placement, placement_problems, placements
from stepweave.planning.plan import to_plan

_MAX_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What a compiled DAG takes, as ``stepweave plan --json`` prints it."""

    dag_id: str
    tasks: int
    states: int
    """States of all machines."""
    transitions: int
    """State transitions of a run in which every task succeeds at once."""
    gates: int
    signals: int
    history_events: int
    """Worst-case history events of the machine that has most."""
    definition_bytes: int
    """Size of the largest definition."""
    machines: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled DAG."""

    graph: Graph
    plan: Plan
    placements: Mapping[str, Placement]
    machines: Machines
    report: PlanReport
    files: Mapping[str, bytes]
    """Definition files by name, the root first."""


def compile_graph(graph: Graph) -> Compiled:
    """``graph`` compiled; raises ``DagError`` if no cut can make it hold the limits of Step Functions."""
    with collector.paused():
        return _compile(graph)


def _compile(graph: Graph) -> Compiled:
    everything = Places.of(graph).tasks.values()
    placed = placements(everything)
    problems = list(placement_problems(everything, placed))
    if problems:
        raise DagError(problems)
    exact = to_plan(graph)
    tasks = {task.id: task for task in graph.tasks}
    factor = 1.0
    for _ in range(_MAX_ROUNDS):
        plan = cut(exact, Estimate(tasks, placed, factor, 1 + graph.dag.retries), limits_of(graph))
        machines = to_machines(graph, plan, placed)
        files = {machines.file_name(name): to_bytes(body) for name, body in machines.definitions.items()}
        report = _report(graph, plan, machines, files)
        if report.definition_bytes <= MAX_DEFINITION_BYTES and report.history_events <= MAX_HISTORY_EVENTS:
            return Compiled(graph, plan, placed, machines, report, files)
        factor *= 1.1 * max(
            report.definition_bytes / MAX_DEFINITION_BYTES, report.history_events / MAX_HISTORY_EVENTS
        )
    raise DagError([_too_large(graph, report)])


def _report(graph: Graph, plan: Plan, machines: Machines, files: Mapping[str, bytes]) -> PlanReport:
    steps = list(walk(plan))
    definitions = machines.definitions
    return PlanReport(
        dag_id=graph.dag.id,
        tasks=len(graph),
        states=sum(1 for definition in definitions.values() for _ in measure.every_state(definition)),
        transitions=measure.transitions(definitions, machines.repeats),
        gates=sum(isinstance(step, Await) for step in steps),
        signals=sum(isinstance(step, Signal) for step in steps),
        history_events=max(
            measure.history_events(definition, machines.repeats) * (1 if name else 1 + graph.dag.retries)
            for name, definition in definitions.items()
        ),
        definition_bytes=max(len(content) for content in files.values()),
        machines=len(definitions),
    )


def _too_large(graph: Graph, report: PlanReport) -> Problem:
    source = graph.dag.source
    return Problem(
        what="the DAG passes a limit of Step Functions that no cut into nested machines avoids",
        code="too-large",
        file=source.file if source else None,
        line=source.line if source else None,
        expected=f"at most {MAX_DEFINITION_BYTES:,} bytes and {MAX_HISTORY_EVENTS:,} history events per machine",
        got=f"{report.definition_bytes:,} bytes, {report.history_events:,} events",
        fix="lower the retries or a loop's max_rounds, take tasks out of the largest mapped group or loop, "
        "or shorten the ids of the tasks with most upstream tasks",
    )
