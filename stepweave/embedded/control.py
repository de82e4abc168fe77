"""`Control`: how other processes reach a run that goes on: a Unix socket beside its records.

A request is one line of JSON, ``{"do": "cancel"}`` or ``{"do": "decided", "dag", "run", "task", "index"}``; the answer
is ``{"ok": true}``. What is asked is never lost: a decision is in the store before the run is told of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from typing import Any

from stepweave.stores.layout import segment
from stepweave.stores.records import database_path

MAX_SOCKET_PATH = 100
"""Longest path of a Unix socket that every system takes: https://man7.org/linux/man-pages/man7/unix.7.html (108)."""
PATIENCE_SECONDS = 2.0
"""How long a run may take to answer; one that runs a task in its own process does not."""

Handler = Callable[[dict[str, Any]], None]


def socket_path(store: str, run_id: str) -> str:
    """Where a run listens whose artifacts are in ``store``."""
    folder = os.path.join(os.path.dirname(database_path(store)), "control")
    return os.path.join(folder, f"{segment(run_id)}.sock")


def tell(store: str, run_id: str, request: dict[str, Any]) -> bool:
    """Whether the run took the request; False when nobody listens."""
    path = os.path.realpath(socket_path(store, run_id))
    if len(path) > MAX_SOCKET_PATH:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PATIENCE_SECONDS)
            connection.connect(path)
            connection.sendall(json.dumps(request).encode() + b"\n")
            return bool(connection.recv(1024))
    except OSError:
        return False


class Control:
    """The listening end, of one run."""

    def __init__(self, store: str, run_id: str) -> None:
        self._path = socket_path(store, run_id)
        self._handlers: dict[str, Handler] = {}

    def on(self, what: str, handler: Handler) -> None:
        """Call ``handler`` with each request to do ``what``, in the event loop."""
        self._handlers[what] = handler

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """While requests are taken. A run that nobody can reach runs all the same."""
        with contextlib.ExitStack() as leftovers:
            server = None
            with contextlib.suppress(OSError):
                server = await asyncio.start_unix_server(self._serve, self._place(leftovers))
            try:
                yield
            finally:
                if server is not None:
                    server.close()

    def _place(self, leftovers: contextlib.ExitStack) -> str:
        """Where to listen: in the folder, or where its path is too long in a short one that it links to."""
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)  # of a process that was killed
        leftovers.callback(self._remove)
        if len(os.path.realpath(self._path)) <= MAX_SOCKET_PATH:
            return os.path.realpath(self._path)
        folder = tempfile.mkdtemp(prefix="stepweave-")
        leftovers.callback(shutil.rmtree, folder, ignore_errors=True)
        short = os.path.join(folder, "s")
        os.symlink(short, self._path)
        return short

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):
            request = json.loads(await reader.readline())
            handler = self._handlers.get(request["do"])
            if handler is not None:
                writer.write(b'{"ok": true}\n')
                await writer.drain()
                handler(request)
        writer.close()
