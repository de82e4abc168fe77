"""``stepweave approve --env``: decide what a run of an environment waits for."""

from __future__ import annotations

import sys

from stepweave.cli.answer import Answer
from stepweave.cli.environment.described import dag_here, not_here
from stepweave.cli.progress.words import approve_command, in_environment, name_of_task
from stepweave.cli.targets import task_and_index
from stepweave.deployed.deciding import approve as decide
from stepweave.deployed.deployment import Deployment, open_deployment
from stepweave.deployed.finding import find_run
from stepweave.deployed.looking import look_at
from stepweave.embedded.taskruns import APPROVAL
from stepweave.errors import UsageError
from stepweave.stores.run_table import DeployedRun


def approve(
    env: str, name: str, task: str | None, approved: bool, by: str, comment: str, as_json: bool
) -> Answer:
    """Decide what a run waits for; without ``task`` the only thing that it waits for."""
    deployment = open_deployment(env)
    run = find_run(deployment, name)
    task_id, index = task_and_index(task) if task is not None else _waiting(deployment, run)
    decision = decide(
        deployment,
        dag=run.dag,
        run=run.run_id,
        task=task_id,
        index=index,
        approved=approved,
        by=by,
        comment=comment,
    )
    if not as_json:
        said = "approved" if decision["approved"] else "rejected"
        sys.stdout.write(f"{task_id} of {run.run_id}: {said} by {decision['by']}\n")
    return Answer({"run_id": run.run_id, "task": task_id, "index": index, **decision, "env": env})


def _waiting(deployment: Deployment, run: DeployedRun) -> tuple[str, str]:
    """The one task run that waits for a person."""
    dag = dag_here(run.dag)
    if dag is None:
        raise UsageError(f"name the TASK to decide: {not_here(run.dag)}")
    view = look_at(deployment, run, dag.graph())
    every = view.statuses.runs.every_run() if view is not None else []
    waiting = [each for each in every if each.status == "waiting" and each.message == APPROVAL]
    if len(waiting) == 1:
        return waiting[0].task, waiting[0].index
    place = in_environment(deployment.env)
    if not waiting:
        raise UsageError(
            f"nothing in run {run.run_id} waits for an approval; see: stepweave show {run.run_id}{place}"
        )
    choices = "\n".join(f"  {approve_command(run.run_id, name_of_task(each), place)}" for each in waiting)
    raise UsageError(f"{len(waiting)} tasks of run {run.run_id} wait for an approval; name one:\n{choices}")
