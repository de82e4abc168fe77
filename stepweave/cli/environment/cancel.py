"""``stepweave cancel --env``: stop a run of an environment."""

from __future__ import annotations

import getpass
import sys

from stepweave.cli.answer import Answer
from stepweave.cli.progress.words import in_environment, resume_command
from stepweave.deployed.deployment import open_deployment
from stepweave.deployed.finding import find_run
from stepweave.deployed.stopping import cancel as stop


def cancel(env: str, name: str, as_json: bool) -> Answer:
    """Stop a run that is going on; the environment's recorder runs its tear-downs and compensations."""
    deployment = open_deployment(env)
    run = find_run(deployment, name)
    status, was_stopped = stop(deployment, run, getpass.getuser())
    if not as_json:
        resume = resume_command(run.run_id, in_environment(env))
        note = f"; go on with: {resume}" if was_stopped else " already"
        sys.stdout.write(f"{run.run_id}: {status}{note}\n")
    return Answer({"run_id": run.run_id, "dag_id": run.dag, "status": status, "env": env})
