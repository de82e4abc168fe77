"""`Trace`: what an execution did, read off its history: the states it entered, its calls, and where it failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from stepweave.engine.execution import Execution
from stepweave.engine.history import Record

_FAMILIES = ("Task", "LambdaFunction", "Activity")
"""How the types of the events of a call begin."""


@dataclass(slots=True, kw_only=True)
class Call:
    """One attempt of a Task state."""

    state: str
    resource: str
    """What was called, without the ARN's head."""
    arguments: Any
    attempt: int
    """Retries before this attempt."""
    execution: str
    """Name of the execution; that of a nested one or a child of a distributed map is another."""
    at: float
    """When it was made, in seconds since the epoch."""
    ended_at: float | None = None
    """None when it was cut off."""
    result: Any = None
    """None unless it succeeded."""
    error: str | None = None
    """None unless it failed."""
    cause: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The call as ``stepweave execute --json`` shows it."""
        found = {
            "execution": self.execution,
            "state": self.state,
            "resource": self.resource,
            "arguments": self.arguments,
            "attempt": self.attempt,
        }
        if self.error is not None:
            return {**found, "error": self.error, "cause": self.cause}
        return found if self.ended_at is None else {**found, "result": self.result}


@dataclass(slots=True, kw_only=True)
class _Line:
    """A line of states: the machine's own, a branch's, an iteration's."""

    path: list[str] = field(default_factory=list)
    """States entered, in order."""
    state: str | None = None
    """The state that was entered and not left."""
    attempts: int = 0
    """Attempts of the state so far."""
    call: Call | None = None
    first: int = -1
    """Number of the first line inside the state; -1 when there are none."""
    count: int = 0
    failed: int = 0
    """Id of the event that tells of the state's failure; 0 when it did not fail."""
    aborted: bool = False


class Trace:
    """What one execution did so far."""

    def __init__(self, execution: Execution) -> None:
        self.states: list[str] = []
        """Every state entered, in the order of time, those of branches and iterations among the others."""
        self.calls: list[Call] = []
        self._execution = execution.name
        self._lines: dict[int, _Line] = {0: _Line()}
        self._groups: dict[str, tuple[int, int]] = {}
        """First line and number of lines that each Parallel or Map opened last, by its name."""
        self.map_runs: dict[str, str] = {}
        """ARN of the last map run of each distributed map, by its name."""
        for number, record in enumerate(execution.history.records(), start=1):
            self._take(number, record)

    @property
    def path(self) -> list[str]:
        """The states of the machine itself, in the order in which they were entered."""
        return list(self._lines[0].path)

    def branches(self, state: str) -> list[list[str]] | None:
        """The paths of the branches or iterations of ``state`` when it last ran; None when it opened none."""
        if state not in self._groups:
            return None
        first, count = self._groups[state]
        return [
            list(self._lines[number].path) if number in self._lines else []
            for number in range(first, first + count)
        ]

    def where(self) -> str | None:
        """The path of the state in which the execution is or ended: ``Each order[2]/Charge card``."""
        line, found = self._lines[0], []
        while line.state is not None:
            found.append(line.state)
            inner = ((index, self._lines.get(line.first + index)) for index in range(line.count))
            left = [(index, each) for index, each in inner if each is not None and each.state is not None]
            if not left:
                break
            # A line that failed aborts those beside it, so of several failures the last is the reason.
            index, line = max(left, key=lambda item: (item[1].failed, not item[1].aborted))
            found[-1] += f"[{index}]"
        return "/".join(found) or None

    def _take(self, event: int, record: Record) -> None:
        kind, _, at, name, data, more, number = record
        line = self._lines.get(number)
        if line is None:
            line = self._lines[number] = _Line()
        if kind.endswith(("Failed", "TimedOut")) or kind == "FailStateEntered":
            line.failed = event
        elif not kind.endswith("Aborted"):
            line.failed = 0
        if kind.endswith("StateEntered"):
            assert name is not None
            self.states.append(name)
            line.path.append(name)
            line.state, line.attempts, line.call = name, 0, None
            line.first, line.count, line.aborted = -1, 0, False
        elif kind.endswith("StateExited"):
            line.state = None
        elif kind.endswith("Aborted"):
            line.aborted = True
        elif kind in ("ParallelStateStarted", "MapStateStarted"):
            line.first, line.count = more[0], more[1]
            self._groups[line.state or ""] = (line.first, line.count)
        elif kind == "MapRunStarted":
            self.map_runs[line.state or ""] = data
        elif kind.startswith(_FAMILIES):
            self._take_call(line, kind, at, name or "", data)

    def _take_call(self, line: _Line, kind: str, at: float, resource: str, data: Any) -> None:
        if kind.endswith("Scheduled"):
            line.call = Call(
                state=line.state or "",
                resource=resource,
                arguments=data,
                attempt=line.attempts,
                execution=self._execution,
                at=at,
            )
            line.attempts += 1
            self.calls.append(line.call)
        elif line.call is not None and kind.endswith("Succeeded"):
            line.call.result, line.call.ended_at = data, at
        elif line.call is not None and kind.endswith(("Failed", "TimedOut")):
            line.call.error, line.call.cause = data
            line.call.ended_at = at


def calls_of(executions: Iterable[Execution]) -> list[Call]:
    """The calls of several executions, in the order in which they were made."""
    calls = [call for execution in executions for call in Trace(execution).calls]
    return sorted(calls, key=lambda call: call.at)
