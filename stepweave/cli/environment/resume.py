"""``stepweave resume --env``: go on with a run of an environment."""

from __future__ import annotations

import getpass
from dataclasses import replace

from stepweave.cli.answer import Answer
from stepweave.cli.environment.following import follow_and_show
from stepweave.cli.environment.trigger import told
from stepweave.deployed.deployment import open_deployment
from stepweave.deployed.finding import find_run
from stepweave.deployed.looking import as_it_is
from stepweave.deployed.starting import resume as ask


def resume(env: str, name: str, wait: bool, as_json: bool) -> Answer:
    """Start a new execution of a run that ended badly: the deployed code, what succeeded reused."""
    deployment = open_deployment(env)
    run = as_it_is(deployment, find_run(deployment, name))
    started = ask(deployment, run, by=getpass.getuser())
    if not wait:
        return told(deployment, started, run.params or {}, False, as_json)
    executions = run.executions | ({started.execution} if started.execution else set())
    going_on = replace(run, status="running", execution=started.execution, executions=executions)
    return follow_and_show(deployment, going_on, as_json)
