"""What the tasks of the drills call, in worker processes; each call is a line in ``calls.log``.

The folder of the drill and the number of the engine's process come as environment variables.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from pathlib import Path
from typing import Any

FOLDER, GENERATION = "DRILL_FOLDER", "DRILL_GENERATION"
CALLS, TOKENS = "calls.log", "tokens"

STAYS_SECONDS = 60


class ShakyError(Exception):
    """Fails until the third attempt."""


def _note(key: Any) -> None:
    """Append the call to the log, in one write."""
    # The drill of the full disk limits the size of the engine's files, not of this one.
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    line = json.dumps([os.environ[GENERATION], json.dumps(key, sort_keys=True), os.getpid()]) + "\n"
    file = os.open(Path(os.environ[FOLDER]) / CALLS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def double(event: Any) -> Any:
    """Twice ``x``, after a while."""
    _note(event["key"])
    time.sleep(event.get("seconds", 0.05))
    return event["x"] * 2


def shaky(event: Any) -> Any:
    """Twice ``x``, at the third attempt."""
    _note(event["key"])
    time.sleep(0.02)
    if event["key"]["try"] < 2:
        raise ShakyError("again")
    return event["x"] * 2


def ask(event: Any) -> None:
    """Give the token to whoever answers it (:mod:`tests.drills.crash_answers`)."""
    _note(event["key"])
    (Path(os.environ[FOLDER]) / TOKENS / event["token"]).touch()


def fragile(event: Any) -> Any:
    """The item; at the first attempt it ends its process, or waits for somebody to end it."""
    if event["try"] == 0 and event["item"] % 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if event["try"] == 0:
        (Path(os.environ[FOLDER]) / str(os.getpid())).touch()
        time.sleep(STAYS_SECONDS)
    return event["item"]
