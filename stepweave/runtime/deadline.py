"""`ending_before(seconds)`: an attempt that is ended with an error of its own, shortly before the platform kills it.

A function that Lambda kills tells nobody why: the state machine sees ``Sandbox.Timedout`` at best. Here the task is
interrupted by a signal, which also ends a wait for the network, and fails as a :class:`OutOfTime`. Code that never
returns to Python (a long computation inside a library) cannot be interrupted; then the log says where it was.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from stepweave.errors import TransientError

_LAST_WORDS_SECONDS = 0.5
"""Time between the interruption and the dump of where the code is."""


class OutOfTime(TransientError):
    """The attempt took all the time that its function has."""


@contextmanager
def ending_before(seconds: float) -> Iterator[None]:
    """Raise :class:`OutOfTime` in the block after ``seconds``; nothing happens outside of the main thread."""
    if seconds <= 0 or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise OutOfTime(
            f"the task did not end within the {seconds:.0f} s that its function had left; give it a longer timeout=, "
            'or compute="batch", which has no such limit'
        )

    before = signal.signal(signal.SIGALRM, interrupt)
    began = time.monotonic()
    other, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    dumps = _dumps_after(seconds + _LAST_WORDS_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if other:  # somebody had a timer of their own
            signal.setitimer(signal.ITIMER_REAL, max(other - (time.monotonic() - began), 0.001), interval)
        if dumps:
            faulthandler.cancel_dump_traceback_later()


def _dumps_after(seconds: float) -> bool:
    """Whether the stack of every thread is written then; it takes a stream that is a file."""
    try:
        faulthandler.dump_traceback_later(seconds, file=sys.__stderr__ or sys.stderr)
    except (OSError, ValueError, AttributeError, RuntimeError):
        return False
    return True
