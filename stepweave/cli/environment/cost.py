"""``stepweave cost --env``: what a run of an environment cost, over all its executions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from stepweave.cli.costs.dags import Asked, Cost, cost_of_task_runs
from stepweave.deployed.deployment import open_deployment
from stepweave.deployed.finding import find_run
from stepweave.deployed.looking import look_at
from stepweave.embedded.places import every_task
from stepweave.errors import UsageError
from stepweave.loading import load
from stepweave.pricing.prices import REGIONS
from stepweave.stores.run_table import DeployedRun


def cost_of_deployed_run(env: str, name: str, region: str | None, asked: Asked) -> Cost:
    """What a run cost, resumed executions included; in the region of the environment, if its prices are known."""
    deployment = open_deployment(env)
    run = find_run(deployment, name)
    if not run.executions:
        raise UsageError(f"run {run.run_id} has not begun; it has cost nothing yet")
    if region is None and deployment.aws.region in REGIONS:
        asked = dataclasses.replace(asked, region=deployment.aws.region)
    graph = load(run.dag).graph()
    views = [view for each in _executions(run) if (view := look_at(deployment, each, graph)) is not None]
    tasks = [task for view in views for task in view.statuses.runs.every_run()]
    # The record follows an execution by some seconds.
    status = views[-1].execution.status
    counted = [view.statuses.transitions for view in views]
    # The histories of runs inside are not read.
    has_runs_inside = any(task.nested is not None for task in every_task(graph))
    transitions = None if has_runs_inside or None in counted else sum(filter(None, counted))
    return cost_of_task_runs(
        run.run_id, status, graph, tasks, asked, executions=len(views), transitions=transitions
    )


def _executions(run: DeployedRun) -> Iterator[DeployedRun]:
    """The run as it was in each of its executions, the first first."""
    ordered = sorted(run.executions, key=lambda arn: (len(arn), arn))
    for number, execution in enumerate(ordered, start=1):
        yield dataclasses.replace(run, execution=execution, executions=frozenset(ordered[:number]))
