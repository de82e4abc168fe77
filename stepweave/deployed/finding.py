"""`find_run`: a deployed run by what people type: ``latest``, its id, or the beginning of it."""

from __future__ import annotations

from stepweave.deployed.deployment import Deployment
from stepweave.deployed.run_records import RunRecords
from stepweave.errors import UsageError
from stepweave.stores.run_table import DeployedRun

LATEST = "latest"
MAX_NAMED = 5
LOOKED_AT = 100
"""Newest runs among which ``latest`` is looked for: the runs inside a run may be many, and newer than it."""


def find_run(deployment: Deployment, name: str) -> DeployedRun:
    """The run that ``name`` means. Raises ``UsageError`` when it means none or several."""
    records, env = RunRecords(deployment), deployment.env
    if name == LATEST:
        begun = [run for run in records.newest(None, LOOKED_AT) if run.started is not None]
        # The newest of those that are no tasks of another run; those are listed under it, too.
        found = ([run for run in begun if "." not in run.run_id] or begun)[:1]
    else:
        found = records.beginning_with(name)
        # A run that is a task of another run has that run's id before its own.
        found = [run for run in found if "." not in run.run_id.removeprefix(name)] or found
    if len(found) == 1:
        return found[0]
    if found:
        named = "\n".join(f"  {run.run_id}" for run in found[:MAX_NAMED])
        raise UsageError(f"{name!r} is the beginning of {len(found)} run ids; type more of one:\n{named}")
    if name == LATEST:
        raise UsageError(
            f"there are no runs in environment {env!r}; start one with: stepweave trigger DAG --env {env}"
        )
    raise UsageError(
        f"no run id begins with {name!r} in environment {env!r}; see: stepweave runs --env {env}"
    )
