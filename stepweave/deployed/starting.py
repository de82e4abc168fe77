"""`trigger` and `resume`: ask the starter of a DAG for a run, or for going on with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stepweave.deployed.deployment import Deployment
from stepweave.deployed.functions import invoke
from stepweave.errors import UsageError
from stepweave.stores.run_table import ENDED, DeployedRun


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
    request: dict[str, Any] = {"source": "manual", "params": dict(params)}
    given = {"run_id": run_id, "logical_date": logical_date, "by": by}
    return _ask(deployment, dag_id, request | {name: value for name, value in given.items() if value})


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
