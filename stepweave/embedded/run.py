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
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stepweave.authoring.dags import Dag
from stepweave.compiler import Compiled, compile_graph
from stepweave.embedded.interrupts import Interrupts
from stepweave.embedded.machine_run import MachineRun
from stepweave.embedded.processes import started_at
from stepweave.embedded.recording import Recorder
from stepweave.embedded.result import RunResult
from stepweave.embedded.run_ids import check_run_id, new_run_id
from stepweave.embedded.taskruns import Observer
from stepweave.errors import UsageError
from stepweave.loading import module_root
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
        raise UsageError(
            f"a run {run_id!r} exists in {request.store!r}; choose another id, or: stepweave resume {run_id}"
        )
    path, _ = module_root(request.dag)
    with RecordWriter(database) as writer, Interrupts(on_interrupt) as interrupts:
        row = _row(request, compiled, run_id, params, resumes=earlier.resumes + 1 if earlier else 0)
        writer.start_run(row)
        machine_run = MachineRun(
            compiled,
            run_id,
            store=request.store,
            observers=[Recorder(writer, graph, run_id), *observers],
            interrupts=interrupts,
        )
        given = {"params": params, "run_id": run_id, "resume": request.resume}
        result = machine_run.run(given, inline=request.inline, workers=request.workers, path=path)
        writer.update_run(
            run_id, dag_id=row.dag_id, status=result.status, ended_at=time.time(), error=result.error or None
        )
    return result


def _row(
    request: RunRequest, compiled: Compiled, run_id: str, params: Mapping[str, Any], resumes: int
) -> RunRow:
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
