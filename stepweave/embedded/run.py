"""`run_dag`: a DAG run on this machine: engine, runtime, stores and worker processes wired together.

    request ─▶ compiled machines ─▶ engine ─┬─▶ TaskRunner   worker processes, or this one (``inline``)
                                            ├─▶ Rendezvous   gates, in memory
                                            └─▶ Batch        a subprocess per job
                     events ─▶ Watcher ─▶ TaskRuns ─▶ Recorder (SQLite) and whoever observes
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stepweave.authoring.dags import Dag
from stepweave.compiler import Compiled, compile_graph
from stepweave.embedded.functions import Functions
from stepweave.embedded.interrupts import Interrupts
from stepweave.embedded.jobs import Jobs
from stepweave.embedded.machines import EngineMachines, to_engine
from stepweave.embedded.processes import started_at
from stepweave.embedded.propagation import Propagation
from stepweave.embedded.recording import Recorder
from stepweave.embedded.result import RunEnd, RunResult
from stepweave.embedded.results import error_text, log_paths, results_of
from stepweave.embedded.run_ids import check_run_id, new_run_id
from stepweave.embedded.taskruns import Observer, TaskRuns
from stepweave.embedded.timing import where_time_went
from stepweave.embedded.watching import Watcher
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.errors import UsageError
from stepweave.loading import module_root
from stepweave.stores.objects import open_store
from stepweave.stores.record_writer import RecordWriter
from stepweave.stores.records import DATABASE, Records, RunRow

DEFAULT_STORE = ".stepweave"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run and how."""

    dag: Dag
    params: Mapping[str, Any] = field(default_factory=dict)
    """As given; defaults are added and everything is checked before anything runs."""
    run_id: str | None = None
    """None for a new one, of DAG, time and four characters."""
    target: str = ""
    """What names the DAG, for ``resume``."""
    inline: bool = False
    """Run tasks in this process, one at a time."""
    workers: int | None = None
    """Worker processes at most; None for as many as CPUs, at least 2."""
    store: str = DEFAULT_STORE
    """Folder of artifacts and records."""
    resume: bool = False
    """Go on with the run ``run_id``."""


def run_dag(
    request: RunRequest,
    *,
    observers: Sequence[Observer] = (),
    on_interrupt: Callable[[bool], None] = lambda again: None,
) -> RunResult:
    """The ended run. Raises ``DagError``, ``ParamsError`` or ``UsageError`` before anything has run.

    ``observers`` are told of each change of a task run; ``on_interrupt`` of the first (False) and second (True) Ctrl-C.
    """
    graph = request.dag.graph()
    params = request.dag.validate_params(request.params)
    compiled = compile_graph(graph)
    run_id = check_run_id(request.run_id or new_run_id(graph.dag.id, datetime.now()))
    database = os.path.join(request.store, DATABASE)
    earlier = Records(database).run(run_id)
    if earlier is not None and not request.resume:
        raise UsageError(f"a run {run_id!r} exists in {request.store!r}; choose another id, or: stepweave resume {run_id}")
    with RecordWriter(database) as writer:
        row = _row(request, compiled, run_id, params, resumes=earlier.resumes + 1 if earlier else 0)
        writer.start_run(row)
        recorder = Recorder(writer, graph, run_id)
        propagation = Propagation(graph)
        runs = TaskRuns((task.id for task in graph.tasks), [recorder, *observers, propagation])
        propagation.connect(runs)
        result = _Run(request, compiled, run_id, params, runs).run(on_interrupt)
        writer.update_run(
            run_id, dag_id=row.dag_id, status=result.status, ended_at=time.time(), error=result.error or None
        )
    return result


def _row(request: RunRequest, compiled: Compiled, run_id: str, params: Mapping[str, Any], resumes: int) -> RunRow:
    digest = hashlib.sha256()
    for content in compiled.files.values():
        digest.update(content)
    now = time.time()
    return RunRow(
        run_id=run_id,
        dag_id=compiled.graph.dag.id,
        target=request.target,
        params=json.dumps(params, ensure_ascii=False),
        status="running",
        queued_at=now,
        started_at=now,
        pid=os.getpid(),
        pid_started_at=started_at(os.getpid()),
        machines=compiled.report.machines,
        resumes=resumes,
        definition_digest=digest.hexdigest(),
    )


class _Run:
    """One run while it goes on."""

    def __init__(
        self, request: RunRequest, compiled: Compiled, run_id: str, params: Mapping[str, Any], runs: TaskRuns
    ) -> None:
        self._request, self._compiled, self._run_id = request, compiled, run_id
        self._params, self._runs = params, runs
        self._store = open_store(request.store)

    def run(self, on_interrupt: Callable[[bool], None]) -> RunResult:
        machines = to_engine(self._compiled)
        path, _ = module_root(self._request.dag)
        functions = Functions(
            self._store, self._runs, inline=self._request.inline, workers=self._request.workers, path=path
        )
        jobs = Jobs(
            self._compiled.graph,
            self._run_id,
            machines.task_of_job_definition,
            store=self._store,
            runs=self._runs,
            path=path,
        )
        integrations = {
            **lambda_integrations(functions.by_name()),
            **start_execution_integrations(),
            **jobs.integrations(),
        }
        watcher = Watcher(self._runs, machines.task_of_job_definition, jobs.failure)
        engine = Engine(machines.machines, integrations, listeners=[watcher])
        functions.connect(engine.tokens)
        began = time.time()
        execution: Execution | None = None
        with Interrupts(on_interrupt, break_into=self._request.inline) as interrupts:
            try:
                execution = engine.clock.run(self._execute(engine, machines, functions, interrupts))
            except (asyncio.CancelledError, KeyboardInterrupt):
                if not interrupts.count:
                    raise
        wall = time.time() - began
        return self._result(execution, wall)

    async def _execute(
        self, engine: Engine, machines: EngineMachines, functions: Functions, interrupts: Interrupts
    ) -> Execution:
        interrupts.cancels(asyncio.current_task())
        given: dict[str, Any] = {"params": self._params, "run_id": self._run_id, "resume": self._request.resume}
        try:
            return await engine.run(machines.root, given, name=self._run_id)
        finally:
            await functions.close()

    def _result(self, execution: Execution | None, wall: float) -> RunResult:
        graph = self._compiled.graph
        ended = execution.status if execution is not None else "ABORTED"
        status: RunEnd = "success" if ended == "SUCCEEDED" else "cancelled" if ended == "ABORTED" else "failed"
        self._runs.interrupted()
        tasks = self._runs.by_id
        return RunResult(
            run_id=self._run_id,
            dag_id=graph.dag.id,
            status=status,
            tasks=tasks,
            wall_seconds=wall,
            error=error_text(execution),
            breakdown=where_time_went({task.id: task.upstream for task in graph.tasks}, tasks, wall),
            store=self._request.store,
            log_paths=log_paths(self._store, graph.dag.id, self._run_id, tasks.values()),
            results=results_of(self._store, graph, self._run_id, tasks),
        )
