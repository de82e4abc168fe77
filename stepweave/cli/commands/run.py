"""``stepweave run``: a DAG, here and now."""

from __future__ import annotations

from typing import Annotated

import typer

from stepweave.cli.answer import Answer
from stepweave.cli.options import DEFAULT_STORE, Inline, Json, Store, Target, Workers
from stepweave.cli.params import read_params
from stepweave.cli.running import run_and_show
from stepweave.embedded.run import RunRequest
from stepweave.loading import load


def command(
    target: Target,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="A param of the run; may be repeated.", metavar="K=V")
    ] = None,
    params_file: Annotated[
        str | None, typer.Option("--params", help="JSON file with params; --param goes over it.", metavar="FILE")
    ] = None,
    run_id: Annotated[str | None, typer.Option("--run-id", help="Name of the run; default: DAG, time, 4 characters.")] = None,
    inline: Inline = False,
    workers: Workers = None,
    store: Store = DEFAULT_STORE,
    as_json: Json = False,
) -> Answer:
    """Run a DAG on this machine, in the state machine that AWS would run.

    \b
    Examples:
      stepweave run statemachines/digits.py
      stepweave run digits --param seed=7 --json
      stepweave run digits --inline                a breakpoint() in a task works
    """
    dag = load(target)
    params = read_params(param or (), params_file, dag.graph().dag.params)
    request = RunRequest(
        dag=dag, params=params, run_id=run_id, target=target, inline=inline, workers=workers, store=store
    )
    return run_and_show(request, as_json)
