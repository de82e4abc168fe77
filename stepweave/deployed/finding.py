"""`find_run`: a deployed run by what people type: ``latest``, its id, or the beginning of it."""

from __future__ import annotations

from datetime import UTC, datetime

from stepweave.deployed.deployment import Deployment
from stepweave.deployed.run_records import RunRecord, RunRecords
from stepweave.errors import UsageError

LATEST = "latest"
MAX_NAMED = 5


def find_run(deployment: Deployment, name: str) -> RunRecord:
    """The run that ``name`` means. Raises ``UsageError`` when it means none or several."""
    records, dag_ids = records_of(deployment), deployment.dag_ids()
    if name == LATEST:
        found = records.newest(dag_ids, None, 1, datetime.now(UTC))
    else:
        found = records.beginning_with(dag_ids, name)
        # A run that a task of another run is has that run's id before its own.
        found = [one for one in found if "." not in one.run_id.removeprefix(name)] or found
    if len(found) == 1:
        return found[0]
    if found:
        named = "\n".join(f"  {record.run_id}" for record in found[:MAX_NAMED])
        raise UsageError(f"{name!r} is the beginning of {len(found)} run ids; type more of one:\n{named}")
    env = deployment.env
    if name == LATEST:
        raise UsageError(
            f"there are no runs in environment {env!r}; start one with: stepweave trigger DAG --env {env}"
        )
    raise UsageError(
        f"no run id begins with {name!r} in environment {env!r}; see: stepweave runs --env {env}"
    )


def records_of(deployment: Deployment) -> RunRecords:
    """The records of the runs in the environment."""
    return RunRecords(deployment.aws, deployment.platform.table)
