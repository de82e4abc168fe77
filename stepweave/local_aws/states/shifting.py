"""`Shifting`: aliases that go over to a new version step by step, and back when an alarm goes off.

AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-stepfunctions-statemachinealias-deploymentpreference.html.
There CloudFormation waits for the end of it; here the stack is complete when the first step is made.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

_log = logging.getLogger("stepweave.states")

LOOK_SECONDS = 10.0
"""How often its alarms are looked at, by the layer's clock."""

Route: TypeAlias = Callable[[str, Sequence[tuple[str, int]]], None]
"""Lets an alias lead to versions, each with its weight."""
Submit: TypeAlias = Callable[[Coroutine[Any, Any, None]], Future[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One alias on its way."""

    alias: str
    before: str
    """The version that it leads to."""
    after: str
    """The version that it is to lead to."""
    percentage: int
    """What goes over with each step."""
    interval_seconds: float
    """Time between two steps."""
    linear: bool
    """Whether every step is as large as the first; else the second is the last."""
    alarms: tuple[str, ...] = ()
    """Names of alarms; one that does not exist is never one, as on AWS."""
    weight: int = 0
    """Share of the new version now."""

    @classmethod
    def of(cls, alias: str, before: str, preference: Mapping[str, Any]) -> Shift | None:
        """That of a ``DeploymentPreference``; None for one that goes over at once."""
        after = str(preference["StateMachineVersionArn"])
        if preference.get("Type", "ALL_AT_ONCE") == "ALL_AT_ONCE" or after == before:
            return None
        return cls(
            alias=alias,
            before=before,
            after=after,
            percentage=int(preference["Percentage"]),
            interval_seconds=float(preference["Interval"]) * 60,
            linear=preference["Type"] == "LINEAR",
            alarms=tuple(preference.get("Alarms") or ()),
        )

    def stepped(self) -> Shift:
        """The same after its next step."""
        further = self.weight + self.percentage if self.linear or not self.weight else 100
        return replace(self, weight=min(100, further))

    @property
    def routes(self) -> list[tuple[str, int]]:
        """Where the alias leads now."""
        given = [(self.after, self.weight), (self.before, 100 - self.weight)]
        return [(version, weight) for version, weight in given if weight]


class Shifting:
    """All aliases that are on their way; they are found again after a restart."""

    def __init__(self, route: Route, alarming: Callable[[str], bool], submit: Submit, file: Path) -> None:
        """``alarming`` tells whether an alarm is one; ``submit`` runs a coroutine in the loop of the clock."""
        self._route = route
        self._alarming = alarming
        self._submit = submit
        self._file = file
        self._lock = threading.Lock()
        self._shifts: dict[str, Shift] = {}
        self._running: dict[str, Future[None]] = {}

    def begin(self, shift: Shift) -> None:
        """Make the first step; the others follow. One of the same alias that was under way is over."""
        self.end(shift.alias)
        self._go_on(shift.stepped())

    def end(self, alias: str) -> None:
        """Leave an alias where it is."""
        running = self._running.pop(alias, None)
        if running is not None:
            running.cancel()
        if self._shifts.pop(alias, None) is not None:
            self._keep()

    def resume(self) -> None:
        """Go on with those of before a restart."""
        try:
            kept = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return
        for fields in kept:
            self._go_on(Shift(**{**fields, "alarms": tuple(fields["alarms"])}))

    def _go_on(self, shift: Shift) -> None:
        self._note(shift)
        self._running[shift.alias] = self._submit(self._run(shift))

    async def _run(self, shift: Shift) -> None:
        while shift.weight < 100:
            if await self._alarmed(shift):
                _log.warning("%s goes back to %s: an alarm went off", shift.alias, shift.before)
                shift = replace(shift, after=shift.before, before=shift.after, weight=100)
            else:
                shift = shift.stepped()
            self._note(shift)

    async def _alarmed(self, shift: Shift) -> bool:
        """Whether an alarm goes off before the next step."""
        loop = asyncio.get_running_loop()
        due = loop.time() + shift.interval_seconds
        while (left := due - loop.time()) > 0:
            if any(map(self._alarming, shift.alarms)):
                return True
            await asyncio.sleep(min(LOOK_SECONDS, left))
        return False

    def _note(self, shift: Shift) -> None:
        self._route(shift.alias, shift.routes)
        if shift.weight < 100:
            self._shifts[shift.alias] = shift
        else:
            self._shifts.pop(shift.alias, None)
        self._keep()

    def _keep(self) -> None:
        with self._lock:
            self._write()

    def _write(self) -> None:
        beside = self._file.with_name(f"{self._file.name}~")
        beside.write_text(json.dumps([asdict(shift) for shift in self._shifts.values()]))
        os.replace(beside, self._file)
