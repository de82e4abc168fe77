"""`run_dag`: a DAG run on this machine: engine, runtime, stores and worker processes wired together.

request ─▶ compiled machines ─▶ engine ─┬─▶ TaskRunner   worker processes, or this one (``inline``)
                                        ├─▶ Rendezvous   gates, in memory
                                        └─▶ Batch        a subprocess per job
                 events ─▶ Watcher ─▶ TaskRuns ─▶ Recorder (SQLite) and whoever observes
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from stepweave.compiler import Compiled, compile_graph
from stepweave.embedded.children import Children
from stepweave.embedded.control import Control
from stepweave.embedded.flows import flows_of, module_paths
from stepweave.embedded.interrupts import Interrupts
from stepweave.embedded.machine_run import MachineRun
from stepweave.embedded.needed import needed
from stepweave.embedded.places import every_task
from stepweave.embedded.pool import pool_size, worker_pool
from stepweave.embedded.processes import is_alive, started_at
from stepweave.embedded.recording import Recorder, went_on_until_killed
from stepweave.embedded.request import RunRequest
from stepweave.embedded.result import RunResult
from stepweave.embedded.taskruns import Observer
from stepweave.engine.workers import WorkerPool
from stepweave.errors import UsageError
from stepweave.loading import module_root
from stepweave.runtime.run_ids import check_run_id, new_run_id
from stepweave.runtime.run_markers import write_marker
from stepweave.stores.objects import open_store
from stepweave.stores.record_writer import RecordWriter
from stepweave.stores.records import Records, RunRow, database_path

PROBE = "probe"
"""Key of no object, asked for to see whether a remote store answers."""


def run_dag(
    request: RunRequest,
    *,
    observers: Sequence[Observer] = (),
    on_interrupt: Callable[[bool], None] = lambda again: None,
    pool: WorkerPool | None = None,
) -> RunResult:
    """The ended run. Raises ``DagError``, ``ParamsError`` or ``UsageError`` before anything has run.

    ``observers`` are told of each change of a task run; ``on_interrupt`` of the first (False) and second (True) Ctrl-C;
    ``pool`` may have workers already (:func:`stepweave.embedded.pool.worker_pool`). Its workers end with the run.
    """
    if pool is None and not request.inline:
        pool = worker_pool(request.dag, request.store, request.workers)
    try:
        return _run(request, observers, on_interrupt, pool)
    finally:
        if pool is not None:
            pool.kill()


def _run(
    request: RunRequest,
    observers: Sequence[Observer],
    on_interrupt: Callable[[bool], None],
    pool: WorkerPool | None,
) -> RunResult:
    whole = request.dag.graph()
    graph = needed(whole, request.needed) if request.needed else whole
    params = request.dag.validate_params(request.params)
    flows = flows_of(graph, compile_graph)
    flow = flows[graph.dag.id]
    run_id = check_run_id(request.run_id or new_run_id(graph.dag.id, datetime.now()))
    store = open_store(request.store)
    if store.local_path(PROBE) is None:
        store.size(PROBE)  # a store that cannot be reached is told now, not by every task
    database = database_path(request.store)
    earlier = _earlier(request, database, run_id)
    date = request.logical_date or (earlier.logical_date if earlier is not None else None)
    given = {"params": params, "run_id": run_id, "resume": request.resume, "logical_date": date}
    path = [*module_root(request.dag)[0], *module_paths(flows)]
    with RecordWriter(database) as writer, Interrupts(on_interrupt) as interrupts:
        row = _row(request, flow.compiled, given, earlier)
        if not writer.claim_run(row, earlier):
            raise UsageError(f"another process has just begun run {run_id!r}; see: stepweave show {run_id}")
        machine_run = MachineRun(
            flows,
            run_id,
            store=request.store,
            recorder=Recorder(writer, flow.places, run_id),
            watching=observers,
            interrupts=interrupts,
            children=Children(writer, store),
            control=Control(request.store, run_id),
        )
        if request.stopped:
            _recall(machine_run, Records(database), writer, run_id)
        result = machine_run.run(
            given,
            pool,
            pool_size(request.workers),
            list(dict.fromkeys(path)),
            resumes=row.resumes,
            stopped=request.stopped,
        )
        ended = {"status": result.status, "ended_at": time.time(), "error": result.error or None}
        write_marker(store, graph.dag.id, run_id, result.status, logical_date=date)
        writer.update_run(run_id, dag_id=graph.dag.id, **ended)
    return result


def _recall(machine_run: MachineRun, records: Records, writer: RecordWriter, run_id: str) -> None:
    """Tell of what there is to clean up of a run whose process was killed: its own, and that of runs inside it."""
    machine_run.recall(went_on_until_killed(records, writer, run_id))
    inside = records.children(run_id)
    while inside:
        row = inside.pop(0)
        inside += records.children(row.run_id)
        if row.status != "success":
            machine_run.recall_inside(row, went_on_until_killed(records, writer, row.run_id))


def _earlier(request: RunRequest, database: str, run_id: str) -> RunRow | None:
    """The run of this id as it is recorded, which must be there exactly when it is resumed."""
    earlier = Records(database).run(run_id)
    if earlier is not None and not request.resume:
        raise UsageError(
            f"a run {run_id!r} exists in {request.store!r}; choose another id, or: stepweave resume {run_id}"
        )
    if earlier is not None and earlier.status == "running" and is_alive(earlier.pid, earlier.pid_started_at):
        raise UsageError(
            f"run {run_id!r} is going on in process {earlier.pid}; stop it first: stepweave cancel {run_id}"
        )
    return earlier


def _row(request: RunRequest, compiled: Compiled, given: Mapping[str, Any], earlier: RunRow | None) -> RunRow:
    digest = hashlib.sha256()
    for content in compiled.files.values():
        digest.update(content)
    now = time.time()
    return RunRow(
        run_id=given["run_id"],
        dag_id=compiled.graph.dag.id,
        target=request.target,
        params=json.dumps(given["params"], ensure_ascii=False),
        logical_date=given["logical_date"],
        status="running",
        queued_at=now,
        started_at=now,
        pid=os.getpid(),
        pid_started_at=started_at(os.getpid()),
        machines=compiled.report.machines,
        resumes=earlier.resumes + 1 if earlier is not None else 0,
        definition_digest=digest.hexdigest(),
        tasks=json.dumps([task.id for task in every_task(compiled.graph)]),
        parent=earlier.parent if earlier is not None else None,
    )
