"""`start_in_background`: a run in a process of its own, which goes on when this one has ended."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from typing import IO

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
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(json.dumps(dict(request.params)).encode())
        given.seek(0)
        pid = _spawned(_command(request), given, said)
        records, deadline = Records(database_path(request.store)), time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if records.run(str(request.run_id)) is not None:
                return pid
            if os.waitpid(pid, os.WNOHANG) != (0, 0):
                said.seek(0)
                raise StepweaveError(said.read().decode(errors="replace").strip().removeprefix("error: "))
            time.sleep(POLL_SECONDS)
    raise StepweaveError(
        f"the run {request.run_id} had not begun after {PATIENCE_SECONDS:g} s; process {pid} still tries"
    )


def _spawned(command: list[str], given: IO[bytes], said: IO[bytes]) -> int:
    """Id of a process that nobody waits for, in a session of its own: Ctrl-C and the end of the terminal miss it.

    Its standard input is ``given``, its errors go to ``said``, and nobody reads what else it prints.
    """
    files = [
        (os.POSIX_SPAWN_DUP2, given.fileno(), 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, said.fileno(), 2),
    ]
    return os.posix_spawn(command[0], command, os.environ, file_actions=files, setsid=True)


def _command(request: RunRequest) -> list[str]:
    options = ["--run-id", str(request.run_id), "--no-input", "--store", request.store]
    if request.logical_date is not None:
        options += ["--logical-date", request.logical_date]
    # A file of params holds values of any type, which --param would read as text.
    return [sys.executable, "-m", "stepweave", "run", request.target, "--params", "/dev/stdin", *options]
