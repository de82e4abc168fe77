"""`worker_pool`: the worker processes of a run. Light to import, so that a run can start one before all else."""

from __future__ import annotations

import os
from typing import Any

from stepweave.authoring.dags import Dag
from stepweave.embedded.logs import append
from stepweave.engine.workers import WorkerPool
from stepweave.loading import module_root
from stepweave.stores.layout import task_prefix
from stepweave.stores.objects import open_store

STORE_VARIABLE = "STEPWEAVE_STORE"
"""Environment variable with the store's address, as the deployed task runner has it."""
WORKER_MODULE = "stepweave.embedded.worker"
RUN_TASK = f"{WORKER_MODULE}:run_task"
MIN_WORKERS = 2


def pool_size(workers: int | None) -> int:
    """How many worker processes ``workers`` means; None: as many as CPUs, at least 2."""
    return workers or max(MIN_WORKERS, os.cpu_count() or MIN_WORKERS)


def worker_pool(dag: Dag, store: str, workers: int | None) -> WorkerPool:
    """A pool whose workers can import ``dag`` and write to ``store``; none is started yet."""
    opened = open_store(store)
    path, module = module_root(dag)

    def keep_log(event: Any, text: str) -> None:
        # What got past Python's streams: C libraries, child processes.
        run = event["run"]
        prefix = task_prefix(run["dag"], run["id"], event["task"], run.get("index") or "")
        append(opened, prefix, event.get("attempt", 0), text)

    return WorkerPool(
        pool_size(workers),
        path=path,
        environment={STORE_VARIABLE: opened.url},
        preload=(WORKER_MODULE, module),
        on_log=keep_log,
    )
