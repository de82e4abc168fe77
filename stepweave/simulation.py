"""`simulate`: a DAG on a virtual clock, in the compiled state machine. Nothing is executed; tasks take the time
they are said to take.

The makespan is the machine's, the critical path the graph's: they are equal unless the machine lost
parallelism. The cost is what AWS would bill for the tasks' durations, at the on-demand prices below (us-east-1,
x86, November 2026), free tiers left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stepweave import collector
from stepweave.compiler import Compiled, compile_graph
from stepweave.embedded.machines import EngineMachines, to_engine
from stepweave.embedded.rendezvous import rendezvous_function
from stepweave.embedded.timing import critical_path
from stepweave.embedded.calls import RENDEZVOUS, TASK_RUNNER
from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.events import Event
from stepweave.engine.integrations.base import Call, Integration
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.errors import StepweaveError
from stepweave.graph.model import Expression, Graph, Literal, Task
from stepweave.graph.order import topological_order
from stepweave.planning.placement import default_timeout_seconds, place

DEFAULT_SECONDS = 1.0
"""Duration of a task of which nothing is known."""
CONTROL_SECONDS = 0.02
"""Billed length of a gate's or signal's function call; an assumption, since it is not simulated."""
CONTROL_MIB = 1_024

USD_PER_TRANSITION = 0.025 / 1_000
"""Standard workflows: https://aws.amazon.com/step-functions/pricing/"""
USD_PER_LAMBDA_REQUEST = 0.20 / 1_000_000
"""https://aws.amazon.com/lambda/pricing/"""
USD_PER_LAMBDA_GIB_SECOND = 0.0000166667
"""x86, first tier: https://aws.amazon.com/lambda/pricing/"""
USD_PER_VCPU_SECOND = 0.04048 / 3_600
"""Batch itself is free; its capacity is priced as Fargate, Linux on x86: https://aws.amazon.com/fargate/pricing/"""
USD_PER_GIB_SECOND = 0.004445 / 3_600
"""https://aws.amazon.com/fargate/pricing/"""
USD_PER_GPU_SECOND = 1.006 / 3_600
"""A GPU with its host, as g5.xlarge: https://aws.amazon.com/ec2/pricing/on-demand/"""
DEFAULT_BATCH_CPU = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What came out; the fields of ``stepweave simulate --json``."""

    makespan_seconds: float
    critical_path_seconds: float
    critical_path: tuple[str, ...]
    transitions: int
    cost_usd: float


@dataclass(slots=True)
class _Meter:
    """Counts what is billed."""

    transitions: int = 0
    control_calls: int = 0
    task_runs: list[str] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.transitions += event.kind == "state_entered"


def simulate(graph: Graph, durations: Mapping[str, float]) -> Simulation:
    """The simulation of a run in which every task succeeds; ``durations`` in seconds, 1 s where nothing is said.

    Timeouts do not strike: the durations are taken at their word (see :func:`beyond_timeout`).
    """
    seconds = {task.id: float(durations.get(task.id, DEFAULT_SECONDS)) for task in graph.tasks}
    compiled = compile_graph(_without_expressions(graph))
    meter = _Meter()
    makespan = _run(to_engine(compiled, timeouts=False), seconds, meter)
    path, length = critical_path({task: graph[task].upstream for task in topological_order(graph)}, seconds)
    return Simulation(
        makespan_seconds=round(makespan, 6),
        critical_path_seconds=round(length, 6),
        critical_path=path,
        transitions=meter.transitions,
        cost_usd=round(_cost(compiled, seconds, meter), 9),
    )


def beyond_timeout(graph: Graph, durations: Mapping[str, float]) -> dict[str, tuple[float, int]]:
    """Tasks whose duration passes their timeout: what they take, and what they may, in seconds."""
    allowed = {task.id: task.timeout_seconds or default_timeout_seconds(place(task)) for task in graph.tasks}
    return {
        task: (seconds, allowed[task])
        for task, seconds in durations.items()
        if seconds > allowed.get(task, seconds)
    }


def _without_expressions(graph: Graph) -> Graph:
    """The graph with null for every expression: few could be evaluated on the null values of these tasks."""
    return Graph(dag=graph.dag, tasks=tuple(_without_expression(task) for task in graph.tasks))


def _without_expression(task: Task) -> Task:
    arguments = tuple(
        (name, Literal(json="null") if isinstance(binding, Expression) else binding)
        for name, binding in task.arguments
    )
    return replace(task, arguments=arguments, fields=())


def _run(machines: EngineMachines, seconds: Mapping[str, float], meter: _Meter) -> float:
    """The makespan in virtual seconds."""
    clock = VirtualClock()
    integrations: dict[str, Integration] = {}
    engine_machines = machines.machines

    async def run_task(event: Any) -> Any:
        if event.get("prepare"):
            meter.control_calls += 1
            return {"uri": event["task"]}
        meter.task_runs.append(event["task"])
        await asyncio.sleep(seconds[event["task"]])
        return {"status": "success", "value": "null"}

    async def meet(event: Any) -> Any:
        meter.control_calls += 1
        return await rendezvous(event)

    integrations |= lambda_integrations({TASK_RUNNER: run_task, RENDEZVOUS: meet})
    integrations |= start_execution_integrations()
    integrations["batch:submitJob.sync"] = _FakeBatch(machines.task_of_job_definition, seconds, meter)
    engine = Engine(engine_machines, integrations, clock=clock, listeners=[meter])
    rendezvous = rendezvous_function(engine.tokens)
    with collector.sparing_what_exists():
        execution = clock.run(engine.run(machines.root, {}))
    if execution.status != "SUCCEEDED":
        raise StepweaveError(
            f"the simulated run ended {execution.status}: {execution.error}: {execution.cause}"
        )
    return clock.elapsed


class _FakeBatch(Integration):
    """Jobs that take the time of their task."""

    def __init__(self, tasks: Mapping[str, str], seconds: Mapping[str, float], meter: _Meter) -> None:
        self._tasks, self._seconds, self._meter = tasks, seconds, meter

    async def run(self, call: Call) -> Any:
        """A job that succeeded."""
        task = self._tasks[call.arguments["JobDefinition"]]
        self._meter.task_runs.append(task)
        await asyncio.sleep(self._seconds[task])
        return {"Status": "SUCCEEDED"}


def _cost(compiled: Compiled, seconds: Mapping[str, float], meter: _Meter) -> float:
    """US dollars."""
    usd = meter.transitions * USD_PER_TRANSITION
    usd += meter.control_calls * _lambda_usd(CONTROL_SECONDS, CONTROL_MIB)
    for task in meter.task_runs:
        placement = compiled.placements[task]
        if placement.compute == "lambda":
            usd += _lambda_usd(seconds[task], placement.memory_mib)
        else:
            usd += seconds[task] * _batch_usd_per_second(compiled.graph[task], placement.memory_mib)
    return usd


def _lambda_usd(seconds: float, memory_mib: int) -> float:
    return USD_PER_LAMBDA_REQUEST + seconds * memory_mib / 1_024 * USD_PER_LAMBDA_GIB_SECOND


def _batch_usd_per_second(task: Task, memory_mib: int) -> float:
    need = task.resources
    if need.gpu:
        return need.gpu * USD_PER_GPU_SECOND
    return (need.cpu or DEFAULT_BATCH_CPU) * USD_PER_VCPU_SECOND + memory_mib / 1_024 * USD_PER_GIB_SECOND
