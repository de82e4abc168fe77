"""`request_of`: what to run to go on with a recorded run."""

from __future__ import annotations

import json

from stepweave.embedded.request import RunRequest
from stepweave.errors import UsageError
from stepweave.loading import load
from stepweave.stores.records import RunRow


def request_of(row: RunRow, store: str) -> RunRequest:
    """A request to resume the run. Raises ``UsageError`` where its DAG is not known by name, or is not found."""
    if row.parent is not None:
        raise UsageError(f"run {row.run_id} is a task of run {row.parent}; go on with that one")
    if not row.target:
        raise UsageError(
            f"run {row.run_id} was not started by a command, so its DAG is not known by name; resume it there"
        )
    try:
        dag = load(row.target)
    except UsageError as error:
        raise UsageError(
            f"{error}\nRun {row.run_id} was started with the TARGET {row.target!r}; "
            "resume it in the folder where it was started"
        ) from error
    return RunRequest(
        dag=dag,
        params=json.loads(row.params),
        run_id=row.run_id,
        target=row.target,
        store=store,
        resume=True,
        logical_date=row.logical_date,
    )
