"""`MachineRun`: the state machine of one run in the engine, with everything that it calls.

events of the engine ─▶ Watcher ─▶ TaskRuns ─▶ observers (records, screen)
                                      └─▶ Propagation ─▶ tasks that will not run
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from stepweave import collector
from stepweave.compiler import Compiled
from stepweave.embedded.functions import Functions
from stepweave.embedded.interrupts import Interrupts
from stepweave.embedded.jobs import Jobs
from stepweave.embedded.machines import to_engine
from stepweave.embedded.places import places_of
from stepweave.embedded.propagation import Propagation
from stepweave.embedded.result import RunEnd, RunResult
from stepweave.embedded.results import error_text, log_paths, results_of
from stepweave.embedded.summing import in_order, sum_up
from stepweave.embedded.taskruns import Observer, TaskRuns
from stepweave.embedded.timing import where_time_went
from stepweave.embedded.watching import Watcher
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.engine.workers import WorkerPool
from stepweave.stores.objects import open_store


class MachineRun:
    """One run while it goes on."""

    def __init__(
        self,
        compiled: Compiled,
        run_id: str,
        *,
        store: str,
        observers: Sequence[Observer],
        interrupts: Interrupts,
    ) -> None:
        self._compiled, self._graph, self._run_id = compiled, compiled.graph, run_id
        self._address, self._store = store, open_store(store)
        self._interrupts = interrupts
        self._propagation = Propagation(self._graph)
        self._places = places_of(self._graph)
        self._runs = TaskRuns(self._places, [*observers, self._propagation])
        self._propagation.connect(self._runs)

    def run(
        self, given: Mapping[str, Any], pool: WorkerPool | None, size: int, path: Sequence[str]
    ) -> RunResult:
        """The ended run on the input ``given``.

        ``pool`` has ``size`` workers at most, None runs tasks here; ``path`` is what jobs need in ``sys.path``.
        """
        machines = to_engine(self._compiled)
        functions = Functions(self._store, self._runs, self._interrupts, pool, size)
        tasks = machines.task_of_job_definition
        jobs = Jobs(
            self._places,
            self._graph.dag.id,
            self._run_id,
            tasks,
            store=self._store,
            runs=self._runs,
            path=path,
        )
        integrations = {
            **lambda_integrations(functions.by_name()),
            **start_execution_integrations(),
            **jobs.integrations(),
        }
        watcher = Watcher(
            self._runs,
            self._places,
            task_of_job_definition=tasks,
            job_failure=jobs.failure,
            expect=self._propagation.expect,
        )
        engine = Engine(machines.machines, integrations, listeners=[watcher])
        functions.connect(engine.tokens)
        began = time.time()
        execution = self._ended(engine, machines.root, given, functions)
        return self._result(execution, time.time() - began)

    def _ended(
        self, engine: Engine, root: str, given: Mapping[str, Any], functions: Functions
    ) -> Execution | None:
        """The ended execution; None when the run was cancelled."""

        async def execute() -> Execution:
            self._interrupts.cancels(asyncio.current_task())
            try:
                return await engine.run(root, dict(given), name=self._run_id)
            finally:
                await functions.close()

        try:
            with collector.sparing_what_exists():
                return engine.clock.run(execute())
        except asyncio.CancelledError:
            if not self._interrupts.count:
                raise
            return None

    def _result(self, execution: Execution | None, wall_seconds: float) -> RunResult:
        ended = execution.status if execution is not None else "ABORTED"
        status: RunEnd = (
            "success" if ended == "SUCCEEDED" else "cancelled" if ended == "ABORTED" else "failed"
        )
        # Of what was cut off, nothing follows for the tasks after it: they may still run when the run is resumed.
        self._propagation.connect(None)
        self._runs.interrupted()
        sum_up(self._runs, self._places)
        tasks = self._runs.by_id
        upstream = {task.id: task.upstream for task in self._graph.tasks}
        return RunResult(
            run_id=self._run_id,
            dag_id=self._graph.dag.id,
            graph=self._graph,
            status=status,
            tasks=tasks,
            maps={task: in_order(runs.values()) for task, runs in self._runs.mapped.items()},
            wall_seconds=wall_seconds,
            error=error_text(execution),
            breakdown=where_time_went(upstream, tasks, wall_seconds),
            store=self._address,
            log_paths=log_paths(self._store, self._graph.dag.id, self._run_id, self._runs.every_run()),
            results=results_of(self._store, self._graph, self._run_id, tasks),
        )
