"""Runs compiled graphs in the engine on the virtual clock, with tasks that end as told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stepweave import collector
from stepweave.compiler import Compiled, compile_graph
from stepweave.embedded.calls import RENDEZVOUS, TASK_RUNNER
from stepweave.embedded.machines import to_engine
from stepweave.embedded.rendezvous import rendezvous_function
from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.failures import FunctionError
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.graph.model import Graph

ERRORS = {"failed": "PermanentError", "skipped": "Skip"}


@dataclass(slots=True)
class Ran:
    """What happened."""

    compiled: Compiled
    execution: Execution
    started: dict[str, float] = field(default_factory=dict)
    """Virtual second at which each task that ran began."""
    ended: dict[str, float] = field(default_factory=dict)
    events: dict[str, Any] = field(default_factory=dict)
    """Payload that each task got."""
    states_entered: int = 0


def run_graph(
    graph: Graph,
    seconds: Mapping[str, float] | None = None,
    fate: Mapping[str, str] | None = None,
    records: Mapping[str, Any] | None = None,
) -> Ran:
    """``graph`` compiled and run; ``fate`` names tasks that end ``failed`` or ``skipped``, all others succeed."""
    compiled = compile_graph(graph)
    machines = to_engine(compiled)
    clock = VirtualClock()
    started: dict[str, float] = {}
    ended: dict[str, float] = {}
    events: dict[str, Any] = {}
    entered = 0

    async def run_task(event: Any) -> Any:
        task = event["task"]
        started[task], events[task] = clock.elapsed, event
        await asyncio.sleep((seconds or {}).get(task, 1.0))
        ended[task] = clock.elapsed
        if task in (fate or {}):
            raise FunctionError(ERRORS[(fate or {})[task]], "{}")
        return (records or {}).get(task, {"status": "success", "value": f'"{task}"'})

    async def meet(event: Any) -> Any:
        return await rendezvous(event)

    def count(event: Any) -> None:
        nonlocal entered
        entered += event.kind == "state_entered"

    integrations = (
        lambda_integrations({TASK_RUNNER: run_task, RENDEZVOUS: meet}) | start_execution_integrations()
    )
    engine = Engine(machines.machines, integrations, clock=clock, listeners=[count])
    rendezvous = rendezvous_function(engine.tokens)
    with collector.sparing_what_exists():
        execution = clock.run(engine.run(machines.root, {}))
    return Ran(compiled, execution, started, ended, events, entered)
