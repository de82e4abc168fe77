"""The server as a process: start it, find it, stop it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from stepweave.errors import UsageError
from stepweave.local_aws import venv
from stepweave.local_aws.home import ADDRESS, Home, Running, locked

PORT = 4566
"""The port that emulators of AWS listen on, by custom."""
_START_SECONDS = 90
_STOP_SECONDS = 90
_LOG_LINES = 25


def up(
    home: Home, port: int = PORT, clock_speed: float = 1.0, told: Callable[[str], None] = lambda _: None
) -> Running:
    """The running server of ``home``, started if it was not. Port 0 takes a free one. Raises ``UsageError``.

    ``told`` is called with a sentence before something that takes seconds.
    """
    home.folder.mkdir(parents=True, exist_ok=True)
    with locked(home.folder / "up.lock") as alone:
        if not alone:
            raise UsageError(
                f"another `stepweave local-aws up` is starting the server of {home.folder}; wait for it"
            )
        if home.held():
            return _found(home, port)
        port = port or _free_port()
        _refuse_taken(port)
        if not (home.venv / "bin").exists():
            told("preparing a virtual environment for the server")
        venv.prepare(home)
        _link(home.code)
        told("starting the server")
        return _started(home, port, clock_speed)


def down(home: Home) -> bool:
    """Stop the server and everything that it started; whether there was one."""
    running = home.running()
    if running is None:
        return False
    _signal(running.pid, signal.SIGTERM)
    if not _wait(lambda: not home.held(), _STOP_SECONDS):
        _signal(-running.pid, signal.SIGKILL)
        _wait(lambda: not home.held(), _STOP_SECONDS)
    home.record.unlink(missing_ok=True)
    return True


def _found(home: Home, port: int) -> Running:
    running = home.running()
    if running is None:
        raise UsageError(
            f"a server holds {home.folder} but has not said that it started; look into {home.log}, and end the process"
        )
    if port not in (0, PORT, running.port):
        raise UsageError(
            f"the local AWS of {home.folder} runs on port {running.port} already, not on {port}; "
            "`stepweave local-aws down` first, or go without --port"
        )
    return running


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise UsageError(
                f"port {port} of this machine cannot be used ({error.strerror}); "
                "another program listens there. Choose another: stepweave local-aws up --port 4577"
            ) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def _link(code: Path) -> None:
    """A folder for the import path that holds this package only: beside it lie packages of other versions."""
    code.mkdir(parents=True, exist_ok=True)
    link = code / "stepweave"
    package = Path(__file__).parent.parent
    if not (link.is_symlink() and link.readlink() == package):
        link.unlink(missing_ok=True)
        link.symlink_to(package)


def _started(home: Home, port: int, clock_speed: float) -> Running:
    home.record.unlink(missing_ok=True)
    command = [
        str(home.python),
        "-m",
        "stepweave.local_aws.server",
        str(home.folder.resolve()),
        str(port),
        str(clock_speed),
    ]
    with home.log.open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(home), start_new_session=True
        )  # fmt: skip
    _wait(lambda: home.record.exists() or process.poll() is not None, _START_SECONDS)
    running = home.running()
    if running is None:
        process.kill()
        process.wait()
        lines = home.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
        raise UsageError("\n".join(["the local AWS did not start. The last lines of its log:", *lines]))
    # The server outlives this process; nobody here waits for it.
    process.returncode = 0
    return running


def _environment(home: Home) -> dict[str, str]:
    """This process's environment without what is meant for another Python or another AWS."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PYTHON", "STEPWEAVE_", "VIRTUAL_ENV", "COVERAGE"))
    }
    return {
        **kept,
        "PYTHONPATH": str(home.code.resolve()),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _signal(pid: int, number: int) -> None:
    try:
        if pid < 0:
            os.killpg(-pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        return
