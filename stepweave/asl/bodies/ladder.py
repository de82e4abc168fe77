"""The ladder: what is tried when a task has failed for good: more memory, a bigger compute, a lesser function.

    attempt ──ResourceError──▶ next rung that is for it ──▶ ...        a rung has the task's id, event, and retries
       └──any other error───▶ next rung that is for any error          a Skip ends the task, as ever

Price: nothing on success; each rung that is tried costs what its compute costs (1 transition on Lambda, 2 on Batch).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stepweave.asl import failures, names
from stepweave.asl.bodies.events import NEVER, REMEMBERS
from stepweave.asl.bodies.outlet import Catcher, Outlet
from stepweave.asl.bodies.way import Way
from stepweave.asl.failures import ALL_ERRORS
from stepweave.asl.retries import RESOURCE_ERRORS
from stepweave.asl.states import State
from stepweave.asl.text import comment
from stepweave.graph.model import Task
from stepweave.planning.placement import on_rung, place_rung, rung_name


def climb(first: Way) -> list[Way]:
    """The ways to carry out a task, best first, each with an outlet that leads to the next ones."""
    task, outlet = first.task, first.outlet
    ways = [first, *(_rung(first, number) for number in range(1, len(task.ladder) + 1))]
    found: list[Way] = []
    for number, way in reversed(list(enumerate(ways))):
        after = dict(zip(task.ladder[number:], ways[number + 1 :], strict=True))
        bigger = next(iter(after.values()), None)
        other = next((higher for rung, higher in after.items() if rung.on == "any"), None)
        if bigger is None:
            found.append(way)
        else:
            entries = (bigger.entry, other.entry if other is not None else "")
            climbing = _Climbing(outlet, names.ended(task.id), *entries)
            found.append(replace(way, outlet=climbing, event=_told(way, task, other is None)))
    return found[::-1]


def raising_again(first: Way) -> dict[str, State]:
    """The state that a skip leads to where nothing else is caught: without it the next rung would run."""
    if first.outlet.catchers() or all(rung.on == "resource" for rung in first.task.ladder):
        return {}
    return {names.ended(first.task.id): failures.rethrown()}


def _rung(first: Way, number: int) -> Way:
    task = on_rung(first.task, number)
    label = first.task.ladder[number - 1].label
    rung = {"level": number, **({"label": comment(label)} if label else {})}
    event = {**first.event, "call": task.call, "rung": rung}
    if task.call != first.task.call:
        # Another function is there for when the dependency is not: it neither waits for the breaker nor closes it.
        event.pop("breaker", None)
    if task.call.endswith(REMEMBERS):
        event.pop("remember", None)  # what it answers with is remembered already
    return replace(
        first,
        base=rung_name(task.id, number),
        part=f"_{number}",
        task=task,
        placement=place_rung(first.task, number),
        event=event,
    )


def _told(way: Way, task: Task, only_resources: bool) -> dict[str, Any]:
    """The event of a way with others after it: which failures are not the task's last."""
    if "tries" not in way.event:
        return way.event
    if not only_resources:
        return {name: part for name, part in way.event.items() if name != "tries"}
    return {**way.event, "tries": {**way.event["tries"], "ResourceError": NEVER}}


class _Climbing:
    """The outlet of a way that has others after it."""

    def __init__(self, outer: Outlet, ended: str, bigger: str, other: str) -> None:
        """States: ``ended`` raises a skip again, ``bigger`` is for lack of memory, ``other`` (or none) for the rest."""
        self._outer, self._ended, self._bigger, self._other = outer, ended, bigger, other

    def succeed(self, state: State, record: Any) -> None:
        self._outer.succeed(state, record)

    def catchers(self) -> list[Catcher]:
        outer = self._outer.catchers()
        climbing: list[Catcher] = [{"ErrorEquals": list(RESOURCE_ERRORS), "Next": self._bigger}]
        if not self._other:
            return climbing + outer
        # What no rung can mend is no failure.
        errors = [failures.SKIP, failures.STOPPED]
        ended = (
            {**outer[-1], "ErrorEquals": errors} if outer else {"ErrorEquals": errors, "Next": self._ended}
        )
        return [ended, *climbing, *({"ErrorEquals": e, "Next": self._other} for e in ALL_ERRORS)]

    def failing(self, name: str) -> dict[str, State]:
        lacking = f"{{% $states.input.Error in {[*RESOURCE_ERRORS]} %}}"
        choice = {"Type": "Choice", "Choices": [{"Condition": lacking, "Next": self._bigger}]}
        if self._other:
            return {name: {**choice, "Default": self._other}}
        given_up = f"{name} for good"
        return {name: {**choice, "Default": given_up}, **self._outer.failing(given_up)}
