"""Time: the real one, and a virtual one in which waiting costs nothing."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import selectors
import time
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeVar, TypeVarTuple

from stepweave.errors import UsageError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Clock(Protocol):
    """What the time is, and the event loop in which it passes.

    Everything that waits does so with asyncio (``asyncio.sleep``, ``asyncio.timeout``); the loop decides how long
    that takes.
    """

    def now(self) -> float:
        """Seconds since the epoch."""

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """The result of ``main``, run to its end in this clock's time."""


class RealClock:
    """The time of day."""

    def now(self) -> float:
        return time.time()

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(main)


class VirtualClock:
    """Time that jumps to the next timer whenever nothing can run.

    Deterministic: equal timers fire in the order in which they were set. For simulations and tests: code that waits for
    the outside world (sockets, processes, threads) would wait no time at all, so do not mix it in.

    >>> clock = VirtualClock()
    >>> clock.run(asyncio.sleep(3600)); clock.elapsed
    3600.0
    """

    def __init__(self, epoch: float = 1_767_225_600.0) -> None:
        self.epoch = epoch
        """The time at the start: 2026-01-01T00:00:00Z unless given."""
        self.elapsed = 0.0
        """Seconds since the start."""

    def now(self) -> float:
        return self.epoch + self.elapsed

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=lambda: _VirtualLoop(self)) as runner:
            return runner.run(main)


class _VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a :class:`VirtualClock`'s.

    It keeps its timers itself: asyncio's heap leaves the order of equal times open, and its sums of differences would
    miss the exact time by rounding.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._virtual = clock
        self._timers: list[tuple[float, int]] = []
        self._handles: dict[int, tuple[asyncio.TimerHandle, Callable[[], object]]] = {}
        self._count = itertools.count()
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self._virtual.elapsed

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)

        def fire() -> None:
            if not handle.cancelled():
                callback(*args)

        number = next(self._count)
        heapq.heappush(self._timers, (when, number))
        self._handles[number] = (handle, partial(self.call_soon, fire, context=context))
        return handle

    def jump(self) -> bool:
        """Whether there was a next timer; the time is now its time, and all timers of that time are due."""
        timers, handles = self._timers, self._handles
        while timers and handles[timers[0][1]][0].cancelled():
            del handles[heapq.heappop(timers)[1]]
        if not timers:
            return False
        when = timers[0][0]
        self._virtual.elapsed = max(self._virtual.elapsed, when)
        while timers and timers[0][0] == when:
            _, make_due = handles.pop(heapq.heappop(timers)[1])
            make_due()
        return True


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that moves the clock instead of blocking."""

    def __init__(self, loop: _VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        # No time limit: the loop has nothing to run, and it knows of no timers of its own.
        if not ready and timeout is None and not self._loop.jump():
            raise UsageError(
                "Under the virtual clock nothing can happen any more: a task waits for something that no timer and no"
                " other task brings, for example a task token that nobody completes."
            )
        return ready


def timestamp(at: float) -> str:
    """Seconds since the epoch as Step Functions writes a time: ``2026-01-01T00:00:00.000Z``."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
