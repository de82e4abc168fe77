"""`Histories`: the events of a run, over all executions that are part of it, in the order in which they happened.

A run is the execution of the DAG's state machine, those of the DAG's other machines that it starts (rounds of a loop,
parts of a machine that is too large for one), and those of the items of distributed maps.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepweave.deployed.arns import machine_of
from stepweave.deployed.connecting import Clients
from stepweave.deployed.executions import children_of_map, history
from stepweave.deployed.translating import details_of, json_of

SHOWN_ITEMS = 200
"""Executions of the items of a distributed map that are looked at, each with calls of its own: AWS answers 20 a second
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html). How many items ended how is known anyway."""
FOLLOWED_ITEMS = 20
"""The same while a run is followed."""


@dataclass(slots=True)
class _Execution:
    """An execution that is read."""

    arn: str
    depth: int
    last_event: int = 0
    has_ended: bool = False


@dataclass(slots=True)
class Histories:
    """The executions of one run, read as often as :meth:`read` is called."""

    aws: Clients
    root: str
    machines: frozenset[str]
    """Names of the state machines of the DAG."""
    items: int = SHOWN_ITEMS
    """Executions of a distributed map that are read at most."""
    _known: dict[str, _Execution] = field(default_factory=dict)
    _map_runs: dict[str, int] = field(default_factory=dict)
    """Map runs that go on, and how deep."""
    _transitions: int = 0
    _is_whole: bool = True
    """Whether every item was read."""

    def read(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """ARN of its execution and event, of each event since the last call, in the order of time."""
        if self.root not in self._known:
            self._known[self.root] = _Execution(self.root, 0)
        fresh: dict[str, list[dict[str, Any]]] = {}
        pending = [each for each in self._known.values() if not each.has_ended]
        while pending:
            for execution in pending:
                fresh[execution.arn] = self._events(execution)
            self._find_items()
            pending = [each for each in self._known.values() if each.arn not in fresh and not each.has_ended]
        # At the same moment what is inside comes first: the end of an execution before whoever waited for it goes on.
        lines = [
            [((event["timestamp"], -self._known[arn].depth), arn, event) for event in events]
            for arn, events in fresh.items()
        ]
        for _, arn, event in heapq.merge(*lines, key=lambda each: each[0]):
            yield arn, event

    @property
    def has_ended(self) -> bool:
        """Whether the execution that was asked for has ended."""
        return self.root in self._known and self._known[self.root].has_ended

    @property
    def transitions(self) -> int | None:
        """State transitions so far, attempts after the first included; None where not every item was read."""
        return self._transitions if self._is_whole else None

    def _events(self, execution: _Execution) -> list[dict[str, Any]]:
        events = history(self.aws, execution.arn, execution.last_event)
        for event in events:
            self._note(event, execution)
        if events:
            execution.last_event = int(events[-1]["id"])
        return events

    def _note(self, event: Mapping[str, Any], execution: _Execution) -> None:
        """What an event says of executions: that this one has ended, or that others have begun."""
        kind, depth = str(event["type"]), execution.depth + 1
        # A task's first attempt is the transition into its state.
        self._transitions += (
            kind.endswith("StateEntered") + (kind == "TaskScheduled") - (kind == "TaskStateEntered")
        )
        if kind in ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"):
            execution.has_ended = True
        elif kind in ("TaskSubmitted", "TaskSucceeded"):
            output = json_of(details_of(event).get("output"))
            arn = output.get("ExecutionArn") if isinstance(output, dict) else None
            if isinstance(arn, str) and machine_of(arn) in self.machines:
                self._known.setdefault(arn, _Execution(arn, depth))
        elif kind == "MapRunStarted":
            self._map_runs[str(details_of(event)["mapRunArn"])] = depth

    def _find_items(self) -> None:
        for map_run, depth in self._map_runs.items():
            children = children_of_map(self.aws, map_run, self.items)
            self._is_whole = self._is_whole and len(children) < self.items
            for arn in children:
                self._known.setdefault(arn, _Execution(arn, depth))
