"""`beating(seconds, run)`: an attempt that is given up when it has been silent for too long.

The function runs in a thread of its own, so that one that hangs in a library can be left behind: its attempt ends, and
what it may still return is never committed.
"""

from __future__ import annotations

import contextvars
import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any

from stepweave.errors import TransientError

_local: contextvars.ContextVar[Heartbeat | None] = contextvars.ContextVar("stepweave_heartbeat", default=None)


class HeartbeatTimeout(TransientError):
    """The task gave no sign of life for longer than it promised."""


class Heartbeat:
    """The signs of life of one attempt."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._now = now
        self._last = now()

    def beat(self) -> None:
        """Note a sign of life."""
        self._last = self._now()

    def left(self) -> float:
        """Seconds until the attempt has been silent for too long."""
        return self._last + self.seconds - self._now()


def beat() -> None:
    """Note a sign of life of the task that runs in this thread; nothing when it promised none."""
    heartbeat = _local.get()
    if heartbeat is not None:
        heartbeat.beat()


def beating(seconds: float, run: Callable[[], Any]) -> Any:
    """What ``run`` answers; :class:`HeartbeatTimeout` when there was no :func:`beat` for ``seconds``."""
    heartbeat = Heartbeat(seconds)
    outcome: list[Any] = []

    def target() -> None:
        _local.set(heartbeat)
        try:
            outcome.extend((run(), None))
        except BaseException as error:
            outcome.extend((None, error))

    # The context of this thread says which task runs and where its log is.
    thread = threading.Thread(
        target=contextvars.copy_context().run, args=(target,), name="stepweave-task", daemon=True
    )
    thread.start()
    try:
        while thread.is_alive():
            left = heartbeat.left()
            if left <= 0:
                raise HeartbeatTimeout(
                    f"no heartbeat for {seconds:g} s; call get_current_context().heartbeat() more often, "
                    "or give the task a longer heartbeat"
                )
            thread.join(left)
    except BaseException:
        # Also when the platform's time is over: Lambda would freeze the thread, and go on with it in a later call.
        _stop(thread)
        raise
    value, error = outcome
    if error is not None:
        raise error
    return value


def _stop(thread: threading.Thread) -> None:
    """Ask the thread to end: Python raises in it as soon as it runs Python code again."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
