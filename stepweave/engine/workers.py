"""`WorkerPool`: Python functions called in child processes, one call at a time each.

Fresh interpreters (``worker_main``), started when first needed and used again. A worker that dies, or whose call is
cancelled, is replaced; what it printed is kept per call.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from stepweave.engine.failures import FunctionError

WORKER_DIED = "Lambda.Unknown"
"""The error of a call whose worker died: Lambda's own name for a sandbox that crashed."""

OnLog = Callable[[Any, str], None]
"""Told what a call printed: the call's event, and the text."""

_LAST_MOMENTS_SECONDS = 1.0
"""How long a worker may take to end after its connection has; its exit status then tells why."""
_LOG_TAIL_CHARACTERS = 2_000
"""Last words of a dead worker that its error's cause repeats."""


class WorkerPool:
    """Up to ``size`` worker processes. Use it inside one event loop, as an async context manager or with ``close``."""

    def __init__(
        self,
        size: int,
        *,
        path: Sequence[str | Path] = (),
        environment: Mapping[str, str] | None = None,
        directory: str | Path | None = None,
        preload: Sequence[str] = (),
        on_log: OnLog | None = None,
    ) -> None:
        """``path`` comes first in the workers' ``sys.path``; ``environment`` is added to this process's.

        A worker imports the modules ``preload`` when it starts, before it is asked anything.
        """
        self._slots = asyncio.Semaphore(size)
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._environment = {**os.environ, **(environment or {})}
        python_path = [*map(str, path), self._environment.get("PYTHONPATH", "")]
        self._environment["PYTHONPATH"] = os.pathsep.join(filter(None, python_path))
        self._directory = directory
        self._preload = tuple(preload)
        self._on_log = on_log

    async def __aenter__(self) -> WorkerPool:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def function(self, name: str) -> Callable[[Any], Awaitable[Any]]:
        """The function ``module:qualname`` as ``lambda:invoke`` calls it."""

        async def call(event: Any) -> Any:
            return await self.call(name, event)

        return call

    async def call(
        self,
        name: str,
        event: Any,
        *,
        context: Mapping[str, Any] | None = None,
        on_ready: Callable[[], None] | None = None,
    ) -> Any:
        """The result of ``module:qualname`` for ``event``; with the fields of a ``context``, as a Lambda handler.

        Raises ``FunctionError`` with the function's error, or ``Lambda.Unknown`` when the worker died. A call that is
        cancelled kills its worker. ``on_ready`` is called when a worker has loaded the handler and is about to run it.
        """
        request: dict[str, Any] = {"name": name, "event": event}
        if context is not None:
            request["context"] = context
        async with self._slots:
            worker = self._worker()
            self._busy.add(worker)
            try:
                answer = await self._ask(worker, request, on_ready)
            except (EOFError, ConnectionError) as error:
                try:
                    await worker.ended()
                finally:
                    status = worker.kill()
                raise FunctionError(WORKER_DIED, _last_words(status, worker.printed)) from error
            except BaseException:
                worker.kill()
                raise
            finally:
                self._busy.discard(worker)
                text = worker.take_log()
                if text and self._on_log is not None:
                    self._on_log(event, text)
                if worker.alive:
                    self._idle.append(worker)
        if "error" in answer:
            raise FunctionError(answer["error"], answer["cause"])
        return answer["result"]

    @staticmethod
    async def _ask(worker: _Worker, request: dict[str, Any], on_ready: Callable[[], None] | None) -> Any:
        """The worker's answer."""
        if on_ready is not None:
            loaded = json.loads(
                await worker.call(json.dumps({"name": request["name"], "load": True}).encode())
            )
            if "error" in loaded:
                return loaded
            on_ready()
        return json.loads(await worker.call(json.dumps(request).encode()))

    def start(self) -> None:
        """Start one worker now, event loop or not, so that it is ready when the first call comes."""
        self._idle.append(self._new())

    async def close(self) -> None:
        """End every worker."""
        self.kill()

    def kill(self) -> None:
        """End every worker, from outside of the event loop."""
        while self._idle:
            self._idle.pop().kill()
        for worker in tuple(self._busy):
            worker.kill()

    def _worker(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            worker.kill()
        return self._new()

    def _new(self) -> _Worker:
        return _Worker.start(self._environment, self._directory, self._preload)


class _Worker:
    """One process, its connection, and the file that takes what it prints."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        log: IO[bytes],
        connection: socket.socket,
    ) -> None:
        self._process = process
        self._log = log
        self._connection = connection
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        """The connection in the event loop, from the first call on."""
        self.printed = ""

    @classmethod
    def start(
        cls, environment: Mapping[str, str], directory: str | Path | None, preload: Sequence[str]
    ) -> _Worker:
        """A new worker."""
        ours, theirs = socket.socketpair()
        # A file and not a pipe: nothing is lost when the process dies, and nobody has to read along.
        log = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the worker
        fcntl.fcntl(log, fcntl.F_SETFL, os.O_APPEND)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "stepweave.engine.worker_main", str(theirs.fileno()), *preload],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
                env=environment,
                cwd=directory,
                start_new_session=True,
            )
        ours.setblocking(False)
        return cls(process, log, ours)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    async def call(self, request: bytes) -> bytes:
        """The answer to a request; raises ``EOFError`` or ``ConnectionError`` when the process dies."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(sock=self._connection)
        reader, writer = self._streams
        writer.write(len(request).to_bytes(4, "big") + request)
        head = await reader.readexactly(4)
        return await reader.readexactly(int.from_bytes(head, "big"))

    async def ended(self) -> None:
        """Return when the process has ended by itself, as it may be about to once its connection is gone."""
        deadline = time.monotonic() + _LAST_MOMENTS_SECONDS
        while self.alive and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    def take_log(self) -> str:
        """What was printed since the last time."""
        if self._log.closed:
            return self.printed
        size = os.fstat(self._log.fileno()).st_size
        if not size:
            return ""
        text = os.pread(self._log.fileno(), size, 0).decode(errors="replace")
        os.ftruncate(self._log.fileno(), 0)
        return text

    def kill(self) -> int:
        """End the process and all it started; its exit status (negative: the signal that ended it earlier)."""
        status = self._process.poll()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        killed = self._process.wait()
        if self._streams is None:
            self._connection.close()
        else:
            self._streams[1].close()
        if not self._log.closed:
            self.printed = self.take_log()
            self._log.close()
        return killed if status is None else status


def _last_words(status: int, printed: str) -> str:
    how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    text = f"The worker process ended with {how} in the middle of the call."
    if tail := printed[-_LOG_TAIL_CHARACTERS:].strip():
        text += f" Its last output: {tail}"
    return json.dumps({"errorMessage": text, "errorType": WORKER_DIED})
