"""Waiting for another DAG: its run for the same logical date, as Airflow's ExternalTaskSensor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from stepweave.authoring.tasks import task
from stepweave.errors import DataError, Fail, UsageError
from stepweave.runtime.context import get_current_context
from stepweave.runtime.pokes import PokeReturn
from stepweave.stores.layout import status_key


@task.sensor(poke_interval="1m", timeout="1d")
def wait_for_dag(
    dag_id: str,
    allowed: Sequence[str] = ("success",),
    failed: Sequence[str] = ("failed",),
    logical_date: str | None = None,
) -> Any:
    """How the run of another DAG ended, ``{"run_id", "status", ...}``, once its status is one of ``allowed``.

    The run is that for this run's logical date, or for ``logical_date`` (the id of a run without one). A status among
    ``failed`` fails the task at once.
    """
    context = get_current_context()
    moment = logical_date or context.logical_date_text
    if moment is None:
        raise DataError(
            "wait_for_dag: this run has no logical date; give logical_date=, or the id of the run that is meant"
        )
    if context.store is None:
        raise UsageError("wait_for_dag: the context has no store; run it as a task of a DAG")
    found = context.store.get_or_none(status_key(dag_id, moment))
    if found is None:
        return False
    run = json.loads(found)
    if run["status"] in failed:
        raise Fail(f"DAG {dag_id!r} ended as {run['status']!r} for {moment} (run {run['run_id']})")
    return PokeReturn(run["status"] in allowed, run)
