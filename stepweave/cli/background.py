"""`start_in_background`: a run in a process of its own, which goes on when this one has ended."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time

from stepweave.embedded.request import RunRequest
from stepweave.errors import StepweaveError
from stepweave.stores.records import Records, database_path

PATIENCE_SECONDS = 60.0
"""How long the process may take until the run is on record: it imports the DAG's module and compiles it."""
POLL_SECONDS = 0.05


def start_in_background(request: RunRequest) -> int:
    """Id of the process that runs ``request``, which is on record by then.

    Raises ``StepweaveError``, with what the process said, when it ends before.
    """
    with tempfile.TemporaryFile() as said:
        # A session of its own: Ctrl-C and the end of this terminal do not reach it.
        process = subprocess.Popen(
            _command(request),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        assert process.stdin is not None
        with process.stdin as given:
            given.write(json.dumps(dict(request.params)).encode())
        records, deadline = Records(database_path(request.store)), time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if records.run(str(request.run_id)) is not None:
                return process.pid
            if process.poll() is not None:
                said.seek(0)
                raise StepweaveError(said.read().decode(errors="replace").strip().removeprefix("error: "))
            time.sleep(POLL_SECONDS)
    process.kill()
    raise StepweaveError(
        f"the run {request.run_id} had not begun after {PATIENCE_SECONDS:g} s, and was stopped"
    )


def _command(request: RunRequest) -> list[str]:
    options = ["--run-id", str(request.run_id), "--no-input", "--store", request.store]
    if request.logical_date is not None:
        options += ["--logical-date", request.logical_date]
    return [
        sys.executable,
        "-m",
        "stepweave",
        "run",
        request.target,
        "--params",
        "/dev/stdin",  # values of any type, which --param would read as text
        *options,
    ]
