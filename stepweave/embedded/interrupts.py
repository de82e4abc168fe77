"""`Interrupts`: Ctrl-C and SIGTERM end a run cleanly; a second one ends the process at once."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

AGAIN_STATUS = 130
"""Exit status after a second Ctrl-C, as shells have it for a process that SIGINT ended."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Context manager that takes over both signals, which only the main thread may; elsewhere it does nothing."""

    def __init__(self, tell: Callable[[bool], None]) -> None:
        """``tell`` is called with False at the first signal and with True at the second."""
        self.count = 0
        self._tell = tell
        self._in_task = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[Any] | None = None
        self._before: dict[signal.Signals, Any] = {}

    def cancels(self, main: asyncio.Task[Any] | None) -> None:
        """From now on the first signal cancels ``main``, a task of the running loop."""
        self._loop, self._main = asyncio.get_running_loop(), main
        if self.count:
            self._cancel()

    @contextmanager
    def in_task(self) -> Iterator[None]:
        """While a task runs in this thread, which keeps the loop from cancelling anything, break into it."""
        self._in_task = True
        try:
            yield
        finally:
            self._in_task = False

    def __enter__(self) -> Interrupts:
        """Take over the signals."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give them back."""
        for number, before in self._before.items():
            signal.signal(number, before)

    def interrupt(self) -> None:
        """Do what a signal does, except for a task that runs in this thread."""
        self.count += 1
        if self.count > 1:
            self._tell(True)
            os._exit(AGAIN_STATUS)
        self._tell(False)
        self._cancel()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.interrupt()
        if self._in_task:
            raise KeyboardInterrupt

    def _cancel(self) -> None:
        if self._loop is not None and self._main is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._main.cancel)
