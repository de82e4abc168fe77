"""What a task logs and prints → the log of its attempt.

While attempts run, the root logger has one more handler, and standard output and error are wrapped; both look up the
attempt of the current thread or asyncio task, so attempts side by side do not mix.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TextIO, cast

from stepweave.errors import Skip, StoreError
from stepweave.runtime.outcome import traceback_text
from stepweave.stores.layout import log_key
from stepweave.stores.objects import ObjectStore

_LIMIT_BYTES = 16 << 20
_current: ContextVar[AttemptLog | None] = ContextVar("stepweave_log", default=None)


class AttemptLog:
    """The log of one attempt; without a line there is no object.

    In a local folder lines are written as they come, so that they can be followed and survive a crash; otherwise they
    are kept, up to 16 MiB, and written at the end.
    """

    __slots__ = ("_echo", "_file", "_kept", "_key", "_lock", "_path", "_size", "_store")

    def __init__(self, store: ObjectStore, prefix: str, attempt: int, *, echo: bool) -> None:
        self._store = store
        self._key = log_key(prefix, attempt)
        self._path = store.local_path(self._key)
        self._echo = echo
        self._file: TextIO | None = None
        self._kept: list[str] = []
        self._size = 0
        self._lock = threading.Lock()

    @property
    def echo(self) -> bool:
        """Whether lines go to the terminal as well."""
        return self._echo

    def write(self, text: str) -> None:
        """Append ``text``."""
        with self._lock:
            if self._size > _LIMIT_BYTES:
                return
            self._size += len(text)
            if self._size > _LIMIT_BYTES:
                text += "\n… the log is cut here: it passed 16 MiB\n"
            if self._path is None:
                self._kept.append(text)
                return
            if self._file is None:
                os.makedirs(os.path.dirname(self._path), exist_ok=True)
                self._file = open(  # noqa: SIM115 (closed by __exit__)
                    self._path, "a", encoding="utf-8", errors="backslashreplace", buffering=1
                )
            self._file.write(text)

    def __enter__(self) -> AttemptLog:
        if self._path is not None:
            # The same attempt of a run before it was resumed.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
        _current.set(self)
        _capture.begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Skip):
            self.write(f"skipped: {error}\n")
        elif error is not None and getattr(error, "logged", True):
            self.write(traceback_text(error))
        _capture.end(self)
        _current.set(None)
        with self._lock:
            if self._file is not None:
                self._file.close()
            if self._kept:
                # A task that has done its work does not fail because its log is lost.
                with contextlib.suppress(StoreError):
                    self._store.put(self._key, "".join(self._kept).encode("utf-8", "backslashreplace"))


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log = _current.get() or _capture.sole
        if log is None:
            return
        try:
            text = self.format(record) + "\n"
        except Exception:
            self.handleError(record)
            return
        log.write(text)
        if log.echo:
            _capture.terminal().write(text)


class _Stream:
    """A standard stream that hands what a task writes to the log of its attempt."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        log = _current.get() or _capture.sole
        if log is not None:
            log.write(text)
            if not log.echo:
                return len(text)
        return self.stream.write(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Capture:
    """Puts the handler and the streams in place while at least one attempt runs."""

    def __init__(self) -> None:
        self._running: list[AttemptLog] = []
        self._lock = threading.Lock()
        self._handler = _Handler()
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._level: int | None = None

    @property
    def sole(self) -> AttemptLog | None:
        """The attempt that a thread of the user's belongs to: threads start without a context."""
        return self._running[0] if len(self._running) == 1 else None

    def begin(self, log: AttemptLog) -> None:
        with self._lock:
            self._running.append(log)
            if len(self._running) > 1:
                return
            root = logging.getLogger()
            # A program that has not set up logging gets INFO, as tasks are used to; any other keeps its level.
            if not root.handlers and root.level == logging.WARNING:
                self._level = root.level
                root.setLevel(logging.INFO)
            root.addHandler(self._handler)
            sys.stdout = cast(TextIO, _Stream(sys.stdout))
            sys.stderr = cast(TextIO, _Stream(sys.stderr))

    def end(self, log: AttemptLog) -> None:
        with self._lock:
            self._running.remove(log)
            if self._running:
                return
            root = logging.getLogger()
            root.removeHandler(self._handler)
            if self._level is not None:
                root.setLevel(self._level)
                self._level = None
            # Somebody may have put a stream of their own in between; theirs stays.
            if isinstance(sys.stdout, _Stream):
                sys.stdout = sys.stdout.stream
            if isinstance(sys.stderr, _Stream):
                sys.stderr = sys.stderr.stream

    def terminal(self) -> TextIO:
        return sys.stderr.stream if isinstance(sys.stderr, _Stream) else sys.stderr


_capture = _Capture()
