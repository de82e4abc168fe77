"""``stepweave local-aws``: AWS on this machine, to deploy to and to try things in."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path

from stepweave.cli.answer import Answer
from stepweave.cli.options import add_json
from stepweave.errors import UsageError
from stepweave.local_aws import environment
from stepweave.local_aws.home import FOLDER, FOLDER_VARIABLE, Home, Running, default
from stepweave.local_aws.process import PORT, down, up


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "action", choices=("up", "down", "status"), help="start it, stop it, or say how it is"
    )
    parser.add_argument(
        "--port", type=int, default=PORT, help=f"port on loopback (default {PORT}; 0: a free one)"
    )
    parser.add_argument(
        "--folder", help=f"where it keeps everything (default ${FOLDER_VARIABLE}, or {FOLDER})"
    )
    parser.add_argument(
        "--shell", action="store_true", help="status: print the environment variables to speak to it"
    )
    add_json(parser)


def command(*, action: str, port: int, folder: str | None, shell: bool, as_json: bool) -> Answer:
    """Start, stop or find an AWS on this machine: no Docker, no account, nothing leaves the machine.

    `cdk deploy -c env=local` puts DAGs there, and they run: functions and jobs as processes, state machines, schedules,
    uploads, logs, metrics and alarms. What is in it survives a restart; to forget it, stop it and remove the folder.
    With STEPWEAVE_CLOCK_SPEED=60 in the environment of `up`, schedules and waits pass sixty times as fast.

    Example:
      stepweave local-aws up
      eval "$(stepweave local-aws status --shell)"
      aws stepfunctions list-state-machines
      stepweave local-aws down
    """
    home = Home(Path(folder)) if folder else default()
    if action == "up":
        running = up(home, port, _clock_speed(), _told)
        return _answer(running, home, as_json)
    if action == "down":
        stopped = down(home)
        if not as_json:
            sys.stdout.write("stopped\n" if stopped else "the local AWS was not running\n")
        return Answer({"running": False, "stopped": stopped})
    return _status(home, shell, as_json)


def _status(home: Home, wants_shell: bool, as_json: bool) -> Answer:
    running = home.running()
    if running is None:
        return Answer(
            {"running": False},
            status=1,
            error="the local AWS is not running; start it: stepweave local-aws up",
        )
    if wants_shell and not as_json:
        sys.stdout.write(environment.shell(environment.variables(running.endpoint)) + "\n")
        return Answer(None)
    return _answer(running, home, as_json)


def _answer(running: Running, home: Home, as_json: bool) -> Answer:
    value = {
        "running": True,
        "endpoint": running.endpoint,
        **asdict(running),
        "folder": str(home.folder),
        "log": str(home.log),
        "environment": environment.variables(running.endpoint),
    }
    if not as_json:
        lines = [
            f"the local AWS runs: {running.endpoint}  (process {running.pid}, {home.folder})",
            'speak to it:   eval "$(stepweave local-aws status --shell)"',
            f"its log:       {home.log}",
        ]
        sys.stdout.write("\n".join(lines) + "\n")
    return Answer(value)


def _told(what: str) -> None:
    sys.stderr.write(f"{what} …\n")


def _clock_speed() -> float:
    text = os.environ.get("STEPWEAVE_CLOCK_SPEED", "1")
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 100_000:
        raise UsageError(f"STEPWEAVE_CLOCK_SPEED is a number above 0 and at most 100000, got {text!r}")
    return speed
