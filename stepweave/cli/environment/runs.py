"""``stepweave runs --env``: the runs of an environment."""

from __future__ import annotations

import sys
from datetime import datetime

from stepweave.cli.answer import Answer
from stepweave.cli.environment.described import depth_of, run_object, took
from stepweave.cli.progress.words import duration, first_line
from stepweave.cli.screen import Table, print_table
from stepweave.deployed.deployment import open_deployment
from stepweave.deployed.looking import as_it_is
from stepweave.deployed.run_records import RunRecords
from stepweave.stores.run_table import DeployedRun


def runs(env: str, dag: str | None, limit: int, as_json: bool) -> Answer:
    """List the runs of an environment, the newest first; those of DAGs inside a run come after it, indented."""
    deployment = open_deployment(env)
    if dag is not None:
        deployment.dag(dag)  # says which there are when it is not one of them
    newest = RunRecords(deployment).newest(dag, limit)
    found = _in_order([as_it_is(deployment, run) for run in newest])
    if not as_json and found:
        print_table(_table(found))
    elif not as_json:
        of = f" of {dag!r}" if dag else ""
        start = f"stepweave trigger {dag or 'DAG'} --env {env}"
        sys.stdout.write(f"no runs{of} in environment {env!r}; start one with: {start}\n")
    return Answer({"runs": [run_object(run, deployment) for run in found]})


def _in_order(found: list[DeployedRun]) -> list[DeployedRun]:
    """Each run followed by those inside it."""
    ids = {run.run_id: place for place, run in enumerate(found)}

    def key(run: DeployedRun) -> tuple[int, str]:
        root = run.run_id.partition(".")[0]
        return ids.get(root, ids[run.run_id]), run.run_id

    return sorted(found, key=key)


def _table(found: list[DeployedRun]) -> Table:
    rows = [
        (
            "  " * depth_of(run, found) + run.run_id,
            run.status,
            _local_time(run.started or run.queued),
            duration(took(run) or 0.0) if took(run) is not None else "",
            first_line(run.error),
        )
        for run in found
    ]
    return Table(head=("RUN", "STATUS", "STARTED", "TOOK", ""), rows=rows, status_column=1)


def _local_time(moment: str | None) -> str:
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M:%S}" if moment else ""
