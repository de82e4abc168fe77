"""The server: ministack with the layer, on loopback. Runs in the virtual environment that :mod:`venv` makes.

python -m stepweave.local_aws.server FOLDER PORT CLOCK_SPEED
"""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from stepweave.local_aws.environment import variables
from stepweave.local_aws.home import ACCOUNT, ADDRESS, REGION, Home, Running, locked
from stepweave.local_aws.layer.part import Part, Setting
from stepweave.local_aws.layer.seams import faults


def main(folder: Path, port: int, clock_speed: float) -> int:
    """Serve until SIGTERM; the exit status."""
    home = Home(folder)
    with locked(home.lock) as alone:
        if not alone:
            sys.stderr.write(f"another server holds {folder}\n")
            return 1
        setting = _prepared(home, port, clock_speed)
        # ministack reads its settings from the environment when it is imported.
        parts: tuple[Part, ...] = importlib.import_module("stepweave.local_aws.layer.parts").PARTS
        wrong = faults(seam for part in parts for seam in part.seams)
        if wrong:
            sys.stderr.write("this version of ministack has changed where the layer takes hold of it:\n")
            sys.stderr.write("".join(f"  {each}\n" for each in wrong))
            return 1
        for part in parts:
            part.install(setting)
        asyncio.run(_serve(parts, home, Running(pid=os.getpid(), port=port, clock_speed=clock_speed)))
    return 0


def _prepared(home: Home, port: int, clock_speed: float) -> Setting:
    shutil.rmtree(home.temporary, ignore_errors=True)
    home.temporary.mkdir(parents=True)
    home.state.mkdir(parents=True, exist_ok=True)
    endpoint = f"http://{ADDRESS}:{port}"
    os.environ.update(variables(endpoint))
    os.environ.update(
        GATEWAY_PORT=str(port),
        BIND_HOST=ADDRESS,
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_REGION=REGION,
        LAMBDA_EXECUTOR="local",
        LOG_LEVEL="WARNING",
        PERSIST_STATE="1",
        STATE_DIR=str(home.state / "services"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(home.state / "s3"),
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
        DOCKER_HOST="unix:///nonexistent",  # containers of other programs are none of our business
        TMPDIR=str(home.temporary),
    )
    tempfile.tempdir = None
    return Setting(
        port=port, endpoint=endpoint, state=home.state, temporary=home.temporary, clock_speed=clock_speed
    )


async def _serve(parts: tuple[Part, ...], home: Home, running: Running) -> None:
    ministack = importlib.import_module("ministack.app")
    hypercorn = importlib.import_module("hypercorn.asyncio")
    config = importlib.import_module("hypercorn.config").Config()
    config.bind = [f"{ADDRESS}:{running.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.loglevel = "WARNING"
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    starting = asyncio.create_task(_start(parts, ministack._wait_for_port, home, running, ended))
    await hypercorn.serve(_stopping(ministack.app, parts), config, shutdown_trigger=ended.wait)
    await starting


async def _start(
    parts: tuple[Part, ...],
    listening: Callable[[int], Awaitable[None]],
    home: Home,
    running: Running,
    ended: asyncio.Event,
) -> None:
    """Start the parts once the server answers, then say that it runs; end it if one of them fails."""
    await listening(running.port)
    try:
        for part in parts:
            await asyncio.to_thread(part.start)
    except BaseException:
        ended.set()
        raise
    home.write(running)


def _stopping(app: Any, parts: tuple[Part, ...]) -> Any:
    """``app``, whose parts are stopped, the last first, before ministack saves its state."""

    async def wrapped(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return

        async def received() -> Any:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                for part in reversed(parts):
                    await asyncio.to_thread(part.stop)
            return message

        await app(scope, received, send)

    return wrapped


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
