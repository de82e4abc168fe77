"""Time: the real one, and a virtual one in which waiting costs nothing."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from stepweave.errors import UsageError

T = TypeVar("T")


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
    """An event loop whose time is a :class:`VirtualClock`'s."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        super().__init__(_JumpingSelector(clock))

    def time(self) -> float:
        return self._clock.elapsed


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that moves the clock instead of blocking."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise UsageError(
                "Under the virtual clock nothing can happen any more: a task waits for something that no timer and no"
                " other task brings, for example a task token that nobody completes."
            )
        if not ready and timeout:
            self._clock.elapsed += timeout
        return ready
