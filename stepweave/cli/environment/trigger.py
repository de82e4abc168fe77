"""``stepweave trigger --env``: a run of a deployed DAG."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from stepweave.cli.answer import Answer
from stepweave.cli.environment.described import dag_here
from stepweave.cli.environment.following import follow_and_show
from stepweave.cli.params import read_params, values_of_texts
from stepweave.deployed.deployment import Deployment, open_deployment
from stepweave.deployed.starting import Started, trigger
from stepweave.loading import is_path, load
from stepweave.stores.run_table import DeployedRun


def start(
    env: str,
    target: str,
    pairs: Sequence[str],
    params_file: str | None,
    run_id: str | None,
    logical_date: str | None,
    wait: bool,
    as_json: bool,
) -> Answer:
    """Ask the starter of a deployed DAG for a run, and follow it with ``wait``."""
    dag = load(target) if is_path(target) else dag_here(target)
    dag_id = dag.id if dag is not None else target
    if dag is None:
        params = read_params(pairs, params_file, values_of_texts)
    else:
        params = read_params(pairs, params_file, dag.params_from_text)
        complete = dag.validate_params(params)
        # Defaults are those of the deployed code.
        params = {name: complete[name] for name in params}
    deployment = open_deployment(env)
    started = trigger(
        deployment, dag_id, params, run_id=run_id, logical_date=logical_date, by=getpass.getuser()
    )
    return told(deployment, started, params, wait, as_json)


def told(
    deployment: Deployment, started: Started, params: Mapping[str, Any], wait: bool, as_json: bool
) -> Answer:
    """What to say of a run that was started, or, with ``wait``, of how it went on and ended."""
    env, run_id = deployment.env, started.run_id
    link = deployment.execution_link(started.execution) if started.execution else ""
    if not as_json:
        sys.stdout.write(f"{run_id}: {_WORDS.get(started.status, started.status)}\n")
        if link:
            sys.stdout.write(f"{link}\n")
        sys.stdout.flush()
    if wait:
        return follow_and_show(deployment, _run_of(started), as_json)
    if not as_json:
        sys.stdout.write(f"look: stepweave show {run_id} --env {env}\n")
    return Answer(
        {
            "run_id": run_id,
            "dag_id": started.dag_id,
            "status": started.status,
            "params": dict(params),
            "env": env,
            "execution": started.execution,
            "console": link or None,
        }
    )


def _run_of(started: Started) -> DeployedRun:
    """The run, of which there may be no record yet."""
    executions = frozenset({started.execution} if started.execution else ())
    return DeployedRun(
        dag=started.dag_id,
        run_id=started.run_id,
        status="running" if started.execution else "queued",
        execution=started.execution,
        executions=executions,
    )


_WORDS = {
    "started": "started",
    "duplicate": "there is such a run already, nothing was started",
    "queued": "queued; it begins when fewer runs of its DAG go on",
}
"""What is said of how the starter answered."""
