"""``stepweave resume``: go on with a run."""

from __future__ import annotations

import json
from argparse import ArgumentParser

from stepweave.authoring.dags import Dag
from stepweave.cli.answer import Answer
from stepweave.cli.found import find_run, open_records, status_now
from stepweave.cli.options import add_json, add_run, add_store, add_workers
from stepweave.cli.starting import start
from stepweave.embedded.request import RunRequest
from stepweave.errors import UsageError
from stepweave.loading import load
from stepweave.stores.records import RunRow


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_run(parser)
    add_workers(parser)
    add_store(parser)
    add_json(parser)


def command(*, run: str, inline: bool, workers: int | None, store: str, as_json: bool) -> Answer:
    """Go on with a run that failed or was cancelled, with today's code; what succeeded is reused.

    A result is reused when its inputs are the same as then. The params are those of the run.

    Example:
      stepweave resume latest
    """
    row = find_run(open_records(store), run, store)
    status = status_now(row)
    if status == "success":
        raise UsageError(f"run {row.run_id} has succeeded; there is nothing to resume")
    if status in ("running", "queued"):
        raise UsageError(
            f"run {row.run_id} is going on in process {row.pid}; stop it first: stepweave cancel {row.run_id}"
        )
    if not row.target:
        raise UsageError(
            f"run {row.run_id} was not started by a command, so its DAG is not known by name; resume it there"
        )
    request = RunRequest(
        dag=_dag_of(row),
        params=json.loads(row.params),
        run_id=row.run_id,
        target=row.target,
        inline=inline,
        workers=workers,
        store=store,
        resume=True,
    )
    return start(request, as_json)


def _dag_of(row: RunRow) -> Dag:
    try:
        return load(row.target)
    except UsageError as error:
        raise UsageError(
            f"{error}\nRun {row.run_id} was started with the TARGET {row.target!r}; "
            "resume it in the folder where it was started"
        ) from error
