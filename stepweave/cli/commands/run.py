"""``stepweave run``: a DAG, here and now."""

from __future__ import annotations

import shlex
from argparse import SUPPRESS, ArgumentParser

from stepweave.cli.answer import Answer
from stepweave.cli.options import (
    add_json,
    add_needed,
    add_new_run,
    add_no_input,
    add_params,
    add_store,
    add_target,
    add_workers,
)
from stepweave.cli.params import read_params
from stepweave.cli.starting import start
from stepweave.embedded.request import RunRequest
from stepweave.errors import UsageError
from stepweave.loading import load


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_target(parser)
    add_params(parser)
    add_new_run(parser)
    add_needed(parser)
    add_workers(parser)
    add_no_input(parser)
    add_store(parser)
    parser.add_argument("--env", help=SUPPRESS)  # people look for it here; the answer says where it is
    add_json(parser)


def command(
    *,
    target: str,
    pairs: list[str],
    params_file: str | None,
    run_id: str | None,
    logical_date: str | None,
    needed: list[str],
    inline: bool,
    workers: int | None,
    no_input: bool,
    store: str,
    env: str | None,
    as_json: bool,
) -> Answer:
    """Run a DAG on this machine, in the state machine that AWS would run.

    Examples:
      stepweave run statemachines/digits.py
      stepweave run digits --param seed=7 --json
      stepweave run digits --inline                a breakpoint() in a task works
      stepweave run digits --until evaluate        evaluate, and what it needs
    """
    if env is not None:
        params = "".join(f" --param {shlex.quote(pair)}" for pair in pairs)
        raise UsageError(
            f"`stepweave run` runs a DAG on this machine; in the environment {env!r} a run is started with: "
            f"stepweave trigger {shlex.quote(target)}{params} --env {env} --wait"
        )
    dag = load(target)
    request = RunRequest(
        dag=dag,
        params=read_params(pairs, params_file, dag.params_from_text),
        run_id=run_id,
        target=target,
        inline=inline,
        workers=workers,
        store=store,
        logical_date=logical_date,
        needed=tuple(needed),
    )
    return start(request, as_json, ask=not no_input)
