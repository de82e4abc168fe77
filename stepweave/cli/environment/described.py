"""How a deployed run looks as JSON, with the members of a run on this machine and some more; and its DAG, if here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from stepweave.authoring.dags import Dag
from stepweave.deployed.deployment import Deployment
from stepweave.errors import DagError, UsageError
from stepweave.loading import load
from stepweave.stores.run_table import DeployedRun


def run_object(run: DeployedRun, deployment: Deployment) -> dict[str, object]:
    """The run as a JSON object, without its tasks."""
    started, ended = seconds(run.started), seconds(run.ended)
    return {
        "run_id": run.run_id,
        "dag_id": run.dag,
        "status": run.status,
        "params": run.params,
        "started_at": started,
        "ended_at": ended,
        "wall_seconds": took(run),
        "resumes": max(0, run.attempt - 1),
        "error": run.error or None,
        "logical_date": run.facts.logical_date,
        "parent": run.run_id.partition(".")[0] if "." in run.run_id else None,
        "env": deployment.env,
        "execution": run.execution,
        "console": deployment.execution_link(run.execution or "") or None,
    }


def seconds(moment: str | None) -> float | None:
    """ISO 8601 text as seconds since the epoch."""
    return datetime.fromisoformat(moment).timestamp() if moment is not None else None


def took(run: DeployedRun) -> float | None:
    """Seconds from the start to the end of a run that has ended."""
    started, ended = seconds(run.started), seconds(run.ended)
    return ended - started if started is not None and ended is not None else None


def dag_here(dag_id: str) -> Dag | None:
    """The DAG of this id in the folder where we are; None where its module is not, or cannot be read."""
    try:
        return load(dag_id)
    except (UsageError, DagError):
        return None


def not_here(dag_id: str) -> str:
    """What to say where a DAG's module would be needed."""
    return (
        f"the tasks are not shown, as DAG {dag_id!r} is not found here; go to the folder of its project "
        "(statemachines/ in it), with the code that is deployed"
    )


def depth_of(run: DeployedRun, listed: Sequence[DeployedRun]) -> int:
    """In how many of the listed runs a run is: the ids of those inside begin with the id of the one around."""
    return sum(run.run_id.startswith(f"{other.run_id}.") for other in listed)
