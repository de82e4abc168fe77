"""``stepweave run``: a DAG, here and now."""

from __future__ import annotations

from argparse import ArgumentParser

from stepweave.cli.answer import Answer
from stepweave.cli.options import add_json, add_no_input, add_store, add_target, add_workers
from stepweave.cli.params import read_params
from stepweave.cli.starting import start
from stepweave.embedded.request import RunRequest
from stepweave.loading import load


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_target(parser)
    again = "a param of the run; may be repeated"
    parser.add_argument("--param", "-p", dest="pairs", action="append", default=[], metavar="K=V", help=again)
    over = "JSON file with params; --param goes over it"
    parser.add_argument("--params", dest="params_file", metavar="FILE", help=over)
    named = "name of the run; default: DAG, time and four characters"
    parser.add_argument("--run-id", metavar="ID", help=named)
    add_workers(parser)
    add_no_input(parser)
    add_store(parser)
    add_json(parser)


def command(
    *,
    target: str,
    pairs: list[str],
    params_file: str | None,
    run_id: str | None,
    inline: bool,
    workers: int | None,
    no_input: bool,
    store: str,
    as_json: bool,
) -> Answer:
    """Run a DAG on this machine, in the state machine that AWS would run.

    Examples:
      stepweave run statemachines/digits.py
      stepweave run digits --param seed=7 --json
      stepweave run digits --inline                a breakpoint() in a task works
    """
    dag = load(target)
    params = read_params(pairs, params_file, dag.params_from_text)
    request = RunRequest(
        dag=dag, params=params, run_id=run_id, target=target, inline=inline, workers=workers, store=store
    )
    return start(request, as_json, ask=not no_input)
