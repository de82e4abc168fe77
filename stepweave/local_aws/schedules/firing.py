"""`Firing`: lets schedules and scheduled rules fire when their time has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stepweave.local_aws.schedules.delivering import Deliverer, Delivery
from stepweave.local_aws.schedules.expressions import ExpressionError
from stepweave.local_aws.schedules.records import Planned

_log = logging.getLogger("stepweave.schedules")

LOOK_SECONDS = 1.0
"""How often it is looked for new and changed schedules, by this machine's clock."""
MOST_MISSED = 100
"""Moments of one schedule that still count when the clock was moved past them: the latest."""


@dataclass(slots=True)
class _Known:
    """A schedule, and when it fires next."""

    planned: Planned
    due: float | None
    fired: bool = False


class Firing:
    """Call :meth:`run` in the loop of the clock."""

    def __init__(
        self,
        planned: Callable[[], Iterable[Planned]],
        deliverer: Deliverer,
        finished: Callable[[Planned], None],
        deliveries: Callable[[Planned, float], Iterable[Delivery]],
        now: Callable[[], float],
        speed: Callable[[], float],
    ) -> None:
        """``planned`` gives all there are, ``deliveries`` what one brings at a moment; ``finished`` is told of one that
        has fired for the last time.
        """
        self._planned = planned
        self._deliverer = deliverer
        self._finished = finished
        self._brings = deliveries
        self._now = now
        self._speed = speed
        self._began = now()
        self._known: dict[tuple[str, ...], _Known] = {}
        self._deliveries: set[asyncio.Task[bool]] = set()

    async def run(self) -> None:
        """Fire, until cancelled."""
        while True:
            try:
                due = self.look()
            except Exception:
                _log.exception("schedules were not looked at")
                due = None
            pause = LOOK_SECONDS * self._speed()
            await asyncio.sleep(pause if due is None else max(0.0, min(pause, due - self._now())))

    def look(self) -> float | None:
        """When the next one fires; those whose time has come have fired."""
        now = self._now()
        current = {planned.key: planned for planned in self._planned()}
        self._known = {key: known for key, known in self._known.items() if key in current}
        for key, planned in current.items():
            known = self._known.get(key)
            if known is None or known.planned != planned:
                known = self._known[key] = self._learned(planned, known, now)
            for due in self._due(known, now):
                self._fire(planned, due)
        return min((known.due for known in self._known.values() if known.due is not None), default=None)

    def _learned(self, planned: Planned, before: _Known | None, now: float) -> _Known:
        """A schedule that is new, or other than before."""
        # What was there when the server started has missed what it has missed; a new one begins with its creation.
        after = planned.created - 1e-6 if before is None and planned.created >= self._began else now
        return _Known(planned, self._next(planned, after), before is not None and before.fired)

    def _next(self, planned: Planned, after: float) -> float | None:
        if not planned.enabled:
            return None
        try:
            return planned.next(after)
        except ExpressionError as error:
            _log.warning("%s never fires: %s", planned.arn, error)
            return None

    def _due(self, known: _Known, now: float) -> list[float]:
        """The moments of ``known`` that have come."""
        come: list[float] = []
        self._skip(known, now)
        while known.due is not None and known.due <= now:
            come = [*come[-MOST_MISSED + 1 :], known.due]
            known.due, known.fired = self._next(known.planned, known.due), True
        over = known.planned.end is not None and now > known.planned.end
        if known.planned.once and known.due is None and (known.fired or over):
            self._finished(known.planned)
        return come

    def _skip(self, known: _Known, now: float) -> None:
        """Leave out what would be too much to catch up with, going by the distance of the first two moments."""
        second = None if known.due is None or known.due > now else self._next(known.planned, known.due)
        if known.due is not None and second is not None:
            latest = now - (second - known.due) * MOST_MISSED
            if known.due < latest:
                known.due = self._next(known.planned, latest)

    def _fire(self, planned: Planned, due: float) -> None:
        for delivery in self._brings(planned, due):
            self.deliver(delivery)

    def deliver(self, delivery: Delivery) -> None:
        """Bring something to its target, beside everything else."""
        task = asyncio.get_running_loop().create_task(self._deliverer.deliver(delivery))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)
