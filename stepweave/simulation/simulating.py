"""`simulate`: how long a DAG takes, by which path, at what price, on a virtual clock.

The makespan is the machine's, the critical path the graph's: they are equal unless the machine lost parallelism.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stepweave import collector
from stepweave.compiler import Compiled, compile_graph
from stepweave.embedded.flows import flows_of
from stepweave.embedded.machines import to_engine
from stepweave.embedded.places import every_task
from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.errors import StepweaveError
from stepweave.graph.model import Graph, Task
from stepweave.planning.placement import Placement, default_timeout_seconds, place
from stepweave.pricing.estimating import Architecture, RunUsage, Work, usage_of
from stepweave.simulation.assumptions import Assumptions, checked, without_values
from stepweave.simulation.paths import longest_path
from stepweave.simulation.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What came out; the fields of ``stepweave simulate --json``."""

    makespan_seconds: float
    critical_path_seconds: float
    critical_path: tuple[str, ...]
    transitions: int
    cost_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A simulation, and what such a run uses of AWS."""

    simulation: Simulation
    work: Work
    usage: RunUsage
    tasks: Mapping[str, Task]
    """Of the DAG and of all that it starts."""
    placements: Mapping[str, Placement]


def simulate(
    graph: Graph,
    durations: Mapping[str, float],
    *,
    items: Mapping[str, int] | None = None,
    chosen: Mapping[str, str] | None = None,
) -> Simulation:
    """The simulation of a run in which every task that runs succeeds; for the arguments see :func:`estimate`."""
    return estimate(graph, durations, items=items, chosen=chosen).simulation


def estimate(
    graph: Graph,
    durations: Mapping[str, float],
    *,
    items: Mapping[str, int] | None = None,
    chosen: Mapping[str, str] | None = None,
    architecture: Architecture = "arm64",
) -> Estimate:
    """The simulation of a run in which every task that runs succeeds, and what the run uses.

    Timeouts do not strike: the durations are taken at their word (see :func:`beyond_timeout`).

    Args:
        graph: The DAG.
        durations: Seconds of each task, or of each item of a mapped one; 1 s where nothing is said.
        items: Items of maps and rounds of loops; 1 where neither this nor the DAG says how many.
        chosen: Case of conditions and branches; the first where nothing is said.
        architecture: Of the functions.
    """
    assumptions = checked(Assumptions(seconds=durations, items=items or {}, chosen=chosen or {}), graph)

    def compiled(each: Graph) -> Compiled:
        return compile_graph(without_values(each, assumptions))

    flows = flows_of(graph, compiled)
    machines = to_engine(*(flow.compiled for flow in flows.values()), timeouts=False)
    tasks = {task.id: task for flow in flows.values() for task in every_task(flow.graph)}
    services = Services(tasks, machines.task_of_job_definition, assumptions, flows)
    clock = VirtualClock()
    engine = Engine(machines.machines, services.integrations(), clock=clock, listeners=[services])
    services.connect(engine)
    with collector.sparing_what_exists():
        execution = clock.run(engine.run(machines.root, {}))
    if execution.status != "SUCCEEDED":
        raise StepweaveError(
            f"the simulated run ended {execution.status}: {execution.error}: {execution.cause}"
        )
    path = longest_path(flows[graph.dag.id].graph, assumptions, lambda dag: flows[dag].graph)
    placements = {
        task: placed for flow in flows.values() for task, placed in flow.compiled.placements.items()
    }
    work = services.work()
    usage = usage_of(work, tasks, placements, architecture)
    simulation = Simulation(
        makespan_seconds=round(clock.elapsed, 6),
        critical_path_seconds=round(path.seconds, 6),
        critical_path=path.tasks,
        transitions=services.transitions,
        cost_usd=round(usage.all.usd(), 9),
    )
    return Estimate(simulation=simulation, work=work, usage=usage, tasks=tasks, placements=placements)


def beyond_timeout(graph: Graph, durations: Mapping[str, float]) -> dict[str, tuple[float, int]]:
    """Tasks whose duration passes their timeout: what they take, and what they may, in seconds."""
    allowed = {
        task.id: task.timeout_seconds or default_timeout_seconds(place(task)) for task in every_task(graph)
    }
    return {
        task: (seconds, allowed[task])
        for task, seconds in durations.items()
        if seconds > allowed.get(task, seconds)
    }
