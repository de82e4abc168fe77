"""`trigger` and `resume`: ask the starter of a DAG for a run, or for going on with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from stepweave.deployed.deployment import Deployment
from stepweave.deployed.functions import invoke
from stepweave.errors import UsageError
from stepweave.runtime.run_ids import new_run_id
from stepweave.stores.run_table import ENDED, DeployedRun

_MAX_OF_DAG = 53
"""Characters of the DAG in the id of its run, so that there is room for those that an execution's name ends with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What the starter did."""

    dag_id: str
    run_id: str
    execution: str | None
    """ARN; None of a run that is queued."""
    status: str
    """``started``; ``duplicate``: there was such a run already; ``queued``: as many runs go on as may."""


def trigger(
    deployment: Deployment,
    dag_id: str,
    params: Mapping[str, Any],
    *,
    run_id: str | None = None,
    logical_date: str | None = None,
    by: str = "",
) -> Started:
    """A new run of ``dag_id``, started or queued. Raises ``UsageError`` for wrong params, as the starter says."""
    # It has an id before it is asked for: boto3 asks again when an answer is lost, and the run may have begun.
    asked = run_id or new_run_id(dag_id[:_MAX_OF_DAG], datetime.now(UTC))
    request: dict[str, Any] = {"source": "manual", "params": dict(params), "run_id": asked}
    given = {"logical_date": logical_date, "by": by}
    started = _ask(deployment, dag_id, request | {name: value for name, value in given.items() if value})
    if run_id is None and started.status == "duplicate":
        return replace(started, status="started")
    return started


def resume(deployment: Deployment, run: DeployedRun, *, by: str = "") -> Started:
    """A new execution of a run that ended badly: the deployed code, the same params, what succeeded reused."""
    env, run_id = deployment.env, run.run_id
    if run.status == "success":
        raise UsageError(f"run {run_id} has succeeded; there is nothing to resume")
    if run.status not in ENDED:
        raise UsageError(
            f"run {run_id} is {run.status}; stop it first: stepweave cancel {run_id} --env {env}"
        )
    request = {"source": "resume", "run_id": run_id} | ({"by": by} if by else {})
    return _ask(deployment, run.dag, request)


def _ask(deployment: Deployment, dag_id: str, request: Mapping[str, Any]) -> Started:
    dag = deployment.dag(dag_id)
    said = invoke(deployment.aws, dag.starter, request, f"asking the starter of {dag_id}")
    return Started(
        dag_id=dag_id, run_id=str(said["run_id"]), execution=said.get("execution"), status=str(said["status"])
    )
