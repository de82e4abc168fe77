"""`LayerClock`: the time of the local AWS: that of this machine, or faster, or moved forward by hand.

Schedules, waits and alarms follow it. The event loop that runs in its time waits less the faster it goes, and notices
at once when it is moved.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from stepweave.errors import UsageError

T = TypeVar("T")

FASTEST = 100_000.0
"""Beyond this a second of real time is more than a day: nothing that really runs would ever be in time."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From ``real`` on, seconds since the epoch on this machine, it is ``now`` and goes by ``speed``."""

    real: float
    now: float
    speed: float

    def at(self, real: float) -> float:
        return self.now + (real - self.real) * self.speed


class LayerClock:
    """Seconds since the epoch; for all threads.

    >>> clock = LayerClock(speed=60, real=lambda: 1000.0)
    >>> clock.now(), clock.from_real(1010.0)
    (1000.0, 1600.0)
    """

    def __init__(
        self, *, speed: float = 1.0, ahead: float = 0.0, real: Callable[[], float] = time.time
    ) -> None:
        """``speed`` is how many seconds pass for each of this machine's, ``ahead`` how many have passed more."""
        self._real = real
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        began = real()
        self._stretches = [_Stretch(began, began + ahead, _checked(speed))]

    @property
    def speed(self) -> float:
        """Seconds that pass for each second of this machine."""
        return self._stretches[-1].speed

    @property
    def ahead(self) -> float:
        """Seconds by which it is before this machine's."""
        return self.now() - self._real()

    def now(self) -> float:
        """What time it is."""
        return self._stretches[-1].at(self._real())

    def from_real(self, real: float) -> float:
        """What this clock showed, or will show, when this machine's shows ``real``."""
        stretches = self._stretches
        index = bisect_right(stretches, real, key=lambda stretch: stretch.real) - 1
        if index < 0:
            return real - stretches[0].real + stretches[0].now
        return stretches[index].at(real)

    def set(self, *, now: float | None = None, speed: float | None = None) -> None:
        """Make it ``now``, or go by ``speed`` from now on. Raises ``UsageError`` for a time before the present one."""
        with self._lock:
            real = self._real()
            present = self._stretches[-1].at(real)
            if now is not None and now < present:
                raise UsageError(f"the clock only goes forward: it is {present:.3f}, {now:.3f} is earlier")
            wanted = self.speed if speed is None else _checked(speed)
            self._stretches = [*self._stretches, _Stretch(real, present if now is None else now, wanted)]
        for listener in tuple(self._listeners):
            listener()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever the clock is set."""
        self._listeners.append(listener)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """The result of ``main``, run to its end in this clock's time."""
        with asyncio.Runner(loop_factory=lambda: ClockLoop(self)) as runner:
            return runner.run(main)


def _checked(speed: float) -> float:
    if not 0 < speed <= FASTEST:
        raise UsageError(
            f"the speed of the clock must be more than 0 and at most {FASTEST:,.0f}, not {speed}"
        )
    return float(speed)


class ClockLoop(asyncio.SelectorEventLoop):
    """An event loop in the time of a :class:`LayerClock`."""

    def __init__(self, clock: LayerClock) -> None:
        self._layer_clock = clock
        self._began = clock.now()
        super().__init__(_Selector(clock))
        clock.on_change(self._wake)

    def time(self) -> float:
        return self._layer_clock.now() - self._began

    def _wake(self) -> None:
        if not self.is_closed():
            self.call_soon_threadsafe(lambda: None)


class _Selector(selectors.DefaultSelector):
    """A selector whose time limits are seconds of a clock."""

    def __init__(self, clock: LayerClock) -> None:
        super().__init__()
        self._layer_clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout if timeout is None else timeout / self._layer_clock.speed)
