"""`MachineRun`: the state machine of one run in the engine, with everything that it calls."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stepweave import collector
from stepweave.embedded.children import Children
from stepweave.embedded.control import Control
from stepweave.embedded.flows import Flow
from stepweave.embedded.functions import Functions
from stepweave.embedded.interrupts import Interrupts
from stepweave.embedded.jobs import Jobs
from stepweave.embedded.live_run import LiveRun, LiveRuns
from stepweave.embedded.machines import to_engine
from stepweave.embedded.result import RunEnd, RunResult
from stepweave.embedded.results import error_text, log_paths, results_of
from stepweave.embedded.scopes import awaited_by
from stepweave.embedded.summing import in_order
from stepweave.embedded.taskruns import APPROVAL, Observer, TaskRun
from stepweave.embedded.timing import where_time_went
from stepweave.engine.engine import Engine
from stepweave.engine.events import Event
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.engine.workers import WorkerPool
from stepweave.errors import TASKS_FAILED
from stepweave.stores.objects import open_store
from stepweave.stores.records import RunRow

_STOPPED = ("ABORTED", "TIMED_OUT")
"""How executions end that end nothing themselves."""


class MachineRun:
    """One run while it goes on."""

    def __init__(
        self,
        flows: Mapping[str, Flow],
        run_id: str,
        *,
        store: str,
        recorder: Observer,
        watching: Sequence[Observer],
        interrupts: Interrupts,
        children: Children,
        control: Control,
    ) -> None:
        """``flows``: the DAG that is run, and those inside it; ``watching``: observers besides the recorder."""
        self._watching = watching
        self._flows, self._run_id = flows, run_id
        self._flow = next(iter(flows.values()))
        self._address, self._store = store, open_store(store)
        self._interrupts, self._children, self._control = interrupts, children, control
        self._machines = to_engine(*(flow.compiled for flow in flows.values()))
        self._jobs = Jobs(self._machines.jobs, self._store)
        self._live = self._live_run(self._flow, run_id, [recorder, *watching])
        self._all = LiveRuns(self._live, self._machines.dags, self._open_child, self._child_ended)
        self._execution_name = run_id
        self._given: dict[str, Mapping[str, Any]] = {}
        """Input of each run of a DAG inside this one."""
        self._stopped: list[tuple[LiveRun, Mapping[str, Any]]] = []
        """Those that were stopped, and their input."""
        self._jobs.connect(self._all.runs_of)

    def recall(self, runs: Iterable[TaskRun]) -> None:
        """Know what is recorded of the run."""
        self._live.runs.recall(runs)

    def recall_inside(self, row: RunRow, runs: Iterable[TaskRun]) -> None:
        """Know of a run inside this one that did not succeed, so that it is cleaned up after as well."""
        if row.dag_id in self._flows:  # else the DAG is another one by now
            date = row.logical_date
            given = {
                "params": json.loads(row.params),
                "run_id": row.run_id,
                "resume": True,
                "logical_date": date,
            }
            live = self._open_child(row.dag_id, given)
            live.runs.recall(runs)
            self._all.by_id[row.run_id] = live
            self._stopped.append((live, given))

    def run(
        self,
        given: Mapping[str, Any],
        pool: WorkerPool | None,
        size: int,
        path: Sequence[str],
        *,
        resumes: int = 0,
        stopped: bool = False,
    ) -> RunResult:
        """The ended run on the input ``given``.

        ``pool`` has ``size`` workers at most, None runs tasks here; ``path`` is what jobs need in ``sys.path``.
        ``resumes``: how often it was resumed; each time is an execution of its own, so that what is kept by execution
        (failures that count, who was told of the end, rejections) begins afresh.
        A run that was ``stopped`` before, as its process was killed, is only cleaned up after.
        """
        functions = Functions(self._store, self._all.runs_of, self._interrupts, pool, size, self._control)
        integrations = {
            **lambda_integrations(functions.by_name()),
            **start_execution_integrations(),
            **self._jobs.integrations(path),
        }
        engine = Engine(self._machines.machines, integrations, listeners=[self._all])
        functions.connect(engine.tokens)
        self._execution_name = f"{self._run_id}-resumed-{resumes}" if resumes else self._run_id
        began = time.time()
        execution = self._ended(engine, given, functions, stopped)
        return self._result(execution, time.time() - began)

    def _live_run(
        self, flow: Flow, run_id: str, observers: Sequence[Observer], *, is_inside: bool = False
    ) -> LiveRun:
        jobs = {name: job.task.id for name, job in self._machines.jobs.items() if job.dag_id == flow.dag_id}

        def job_failure(task: str, index: str) -> tuple[str, str] | None:
            return self._jobs.failure(flow.dag_id, run_id, task, index)

        return LiveRun(
            flow,
            run_id,
            jobs=jobs,
            job_failure=job_failure,
            observers=observers,
            store=self._store,
            is_inside=is_inside,
        )

    def _open_child(self, dag_id: str, given: Mapping[str, Any]) -> LiveRun:
        flow, run_id = self._flows[dag_id], str(given["run_id"])
        self._given[run_id] = given
        recorder = self._children.began(flow, run_id, given, self._all.by_id)
        return self._live_run(flow, run_id, [recorder, self._tell_of_approval], is_inside=True)

    def _tell_of_approval(self, run: TaskRun) -> None:
        """Whoever watches the run also hears of persons that a DAG inside it waits for."""
        if run.status == "waiting" and run.message == APPROVAL:
            for observer in self._watching:
                observer(run)

    def _ended(
        self, engine: Engine, given: Mapping[str, Any], functions: Functions, stopped: bool
    ) -> Execution | None:
        """The ended execution; None when the run was cancelled."""

        async def execute() -> Execution | None:
            try:
                async with self._control.listening():
                    execution = None if stopped else await self._execute(engine, given)
                    await self._clean_up(engine, given, execution)
                    return execution
            finally:
                await functions.close()

        with collector.sparing_what_exists():
            return engine.clock.run(execute())

    async def _execute(self, engine: Engine, given: Mapping[str, Any]) -> Execution | None:
        """The ended execution; None when it was cancelled by a signal."""
        task = asyncio.create_task(engine.run(self._machines.root, dict(given), name=self._execution_name))
        self._interrupts.cancels(task)
        try:
            return await task
        except asyncio.CancelledError:
            if not self._interrupts.count:
                raise
            return None

    async def _clean_up(self, engine: Engine, given: Mapping[str, Any], execution: Execution | None) -> None:
        """Run tear-downs and compensations of what was stopped; another signal ends the process at once."""
        self._interrupts.cancels(None)
        stopped = list(self._stopped)
        if execution is None or _broke_off(execution.status, execution.error):
            stopped.append((self._live, given))
        for live, begun_with in stopped:
            machine = self._machines.cleanup_of(live.flow.dag_id)
            if machine is not None:
                live.stop()
                name = f"{live.run_id}-cleanup"
                await engine.run(machine, {**begun_with, "run_id": live.run_id}, name=name)
            if execution is None and live is not self._live:
                self._children.cancelled(live)

    def _child_ended(self, live: LiveRun, event: Event) -> None:
        self._children.ended(live, event)
        if _broke_off(event.status, event.error):
            self._stopped.append((live, self._given[live.run_id]))

    def _result(self, execution: Execution | None, wall_seconds: float) -> RunResult:
        ended = execution.status if execution is not None else "ABORTED"
        status: RunEnd = (
            "success" if ended == "SUCCEEDED" else "cancelled" if ended == "ABORTED" else "failed"
        )
        self._live.end()
        graph, runs = self._flow.graph, self._live.runs
        tasks = runs.by_id
        before = {task.id: awaited_by(task, graph) for task in graph.tasks}
        return RunResult(
            run_id=self._run_id,
            dag_id=graph.dag.id,
            graph=graph,
            status=status,
            tasks=tasks,
            maps={task: in_order(items.values()) for task, items in runs.mapped.items()},
            wall_seconds=wall_seconds,
            error=error_text(execution),
            breakdown=where_time_went(before, tasks, wall_seconds),
            store=self._address,
            log_paths=log_paths(self._store, graph.dag.id, self._run_id, runs.every_run()),
            results=results_of(self._store, graph, self._run_id, tasks),
        )


def _broke_off(status: str | None, error: str | None) -> bool:
    """Whether an execution ended without reaching its own end, where tear-downs and compensations are.

    Nothing in a machine can catch an expression of a Choice that cannot be evaluated, for example
    (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html).
    """
    return status in _STOPPED or (status == "FAILED" and error != TASKS_FAILED)
