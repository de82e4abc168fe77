"""``stepweave resume``: go on with a run."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from typing import cast

from stepweave.cli.again import request_of
from stepweave.cli.answer import Answer
from stepweave.cli.found import find_run, open_records, status_now
from stepweave.cli.lazy import environment_command
from stepweave.cli.options import add_env, add_json, add_no_input, add_run, add_store, add_workers
from stepweave.cli.starting import start
from stepweave.errors import UsageError


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_run(parser)
    add_workers(parser)
    add_no_input(parser)
    wait = "follow the run until it has ended (with --env; here it always is)"
    parser.add_argument("--wait", action="store_true", help=wait)
    add_store(parser)
    add_env(parser)
    add_json(parser)


def command(
    *,
    run: str,
    inline: bool,
    workers: int | None,
    no_input: bool,
    wait: bool,
    store: str,
    env: str | None,
    as_json: bool,
) -> Answer:
    """Go on with a run that failed or was cancelled, with today's code; what succeeded is reused.

    A result is reused when its inputs are the same as then. The params are those of the run. In an environment it is
    the deployed code that goes on.

    Examples:
      stepweave resume latest
      stepweave resume latest --env dev --wait
    """
    if env is not None:
        return cast(Answer, environment_command("resume", store).resume(env, run, wait, as_json))
    row = find_run(open_records(store), run, store)
    status = status_now(row)
    if status == "success":
        raise UsageError(f"run {row.run_id} has succeeded; there is nothing to resume")
    if status in ("running", "queued"):
        raise UsageError(
            f"run {row.run_id} is going on in process {row.pid}; stop it first: stepweave cancel {row.run_id}"
        )
    request = replace(request_of(row, store), inline=inline, workers=workers)
    return start(request, as_json, ask=not no_input)
