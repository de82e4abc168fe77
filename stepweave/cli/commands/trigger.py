"""``stepweave trigger``: starts a run and returns: on this machine in the background, or of a deployed DAG."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import cast

from stepweave.cli.answer import Answer
from stepweave.cli.background import start_in_background
from stepweave.cli.lazy import environment_command
from stepweave.cli.options import add_env, add_json, add_new_run, add_params, add_store, add_target
from stepweave.cli.params import read_params
from stepweave.cli.progress.words import in_store
from stepweave.cli.starting import start
from stepweave.embedded.request import RunRequest
from stepweave.loading import load
from stepweave.runtime.run_ids import check_run_id, new_run_id


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_target(parser)
    add_params(parser)
    add_new_run(parser)
    parser.add_argument("--wait", action="store_true", help="follow the run until it has ended")
    add_store(parser)
    add_env(parser)
    add_json(parser)


def command(
    *,
    target: str,
    pairs: list[str],
    params_file: str | None,
    run_id: str | None,
    logical_date: str | None,
    wait: bool,
    store: str,
    env: str | None,
    as_json: bool,
) -> Answer:
    """Start a run of a DAG and say its id; with --wait follow it, and exit as it ends.

    With --env it is the deployed DAG, in its environment. Its module need not be here; if it is, params are checked
    before anything is asked of AWS.

    Examples:
      stepweave trigger digits --env dev --param seed=7
      stepweave trigger digits --env dev --wait
      stepweave trigger digits                     in the background of this machine
    """
    if env is not None:
        triggered = environment_command("trigger", store).start(
            env, target, pairs, params_file, run_id, logical_date, wait, as_json
        )
        return cast(Answer, triggered)
    return _here(target, pairs, params_file, run_id, logical_date, wait, store, as_json)


def _here(
    target: str,
    pairs: list[str],
    params_file: str | None,
    run_id: str | None,
    logical_date: str | None,
    wait: bool,
    store: str,
    as_json: bool,
) -> Answer:
    """A run on this machine: in the background, or in this process where it is waited for."""
    dag = load(target)
    request = RunRequest(
        dag=dag,
        params=read_params(pairs, params_file, dag.params_from_text),
        run_id=check_run_id(run_id or new_run_id(dag.id, datetime.now())),
        target=target,
        store=store,
        logical_date=logical_date,
    )
    if wait:
        return start(request, as_json, ask=False)
    params = dag.validate_params(request.params)
    pid = start_in_background(request)
    run_id = str(request.run_id)
    if not as_json:
        sys.stdout.write(f"{run_id}: started\nlook: stepweave show {run_id}{in_store(store)}\n")
    return Answer(
        {
            "run_id": run_id,
            "dag_id": dag.id,
            "status": "started",
            "params": json.loads(json.dumps(params)),
            "pid": pid,
        }
    )
