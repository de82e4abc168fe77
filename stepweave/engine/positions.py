"""`position_of`: how far an execution has come, read off its records: what resuming and redriving start from.

An execution is a tree of *lines*: the machine's own (0), and one per branch of a Parallel or iteration of a Map. Each
line is in one state, between two, or at its end.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from stepweave.engine.failures import DATA_LIMIT_EXCEEDED, StateError
from stepweave.engine.history import ANSWER_NOTE, RETRY_NOTE, WAIT_NOTE, Record
from stepweave.engine.jsonata import UNDEFINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A call of a Task that had not ended."""

    scheduled: int
    """Id of its Scheduled event."""
    at: float
    """When it was scheduled, in seconds since the epoch."""
    arguments: Any
    timeout_seconds: float | None
    heartbeat_seconds: float | None
    token: str | None
    started: bool = False
    """Whether that it began is recorded."""
    submitted: bool = False
    """Whether the service (``.waitForTaskToken``) or a worker (activities) had taken the call."""
    answer: tuple[Any, ...] | None = None
    """What its token was sent back with: the output alone, or error and cause."""


@dataclass(slots=True, kw_only=True)
class Position:
    """Where one line is."""

    line: int
    state: str | None = None
    """The state that was entered and not left."""
    following: str | None = None
    """The state that comes next; None in a state, and at the end."""
    ended: bool = False
    value: Any = None
    """Input of the state, or what the line goes on or ended with."""
    entered_at: float = 0.0
    entered_event: int = 0
    last_event: int = 0
    variables: dict[str, Any] = field(default_factory=dict)
    retries: list[int] = field(default_factory=list)
    """Retries by each retrier of the state."""
    retry_count: int = 0
    due: float | None = None
    """When a retry or the end of a Wait is due."""
    due_within: float = 0.0
    """Seconds until then when it was noted: there are never more to come, even if the clock was set back since."""
    attempt: Attempt | None = None
    result: Any = UNDEFINED
    """What the state's task answered."""
    error: StateError | None = None
    """Why the state's attempt failed, when no retrier or catcher has dealt with it yet."""
    first_line: int = -1
    """Number of the first line inside; -1 when none was opened."""
    payload: Any = UNDEFINED
    """The input of the branches, the items of the map, or the map run."""
    children: dict[int, Position] = field(default_factory=dict)
    """The lines inside the state, by index."""
    succeeded: bool = False
    """Whether it is recorded that all of them have succeeded."""
    closed: bool = False
    """Whether the end of the iteration is recorded."""

    def renew(self) -> None:
        """Forget how the state failed, and the lines inside it; what succeeded stays."""
        self.retries, self.retry_count, self.due, self.attempt = [], 0, None, None
        if self.error is not None and self.error.error == DATA_LIMIT_EXCEEDED:
            self.forget_inside()
        self.error = None
        for child in self.children.values():
            child.renew()

    def forget_inside(self) -> None:
        """Be in the state as if no line had been opened inside it."""
        self.first_line, self.payload, self.children, self.succeeded = -1, UNDEFINED, {}, False


def position_of(records: Iterable[Record]) -> tuple[Position, int]:
    """The position of an execution's own line, with those inside it, and how many lines it has opened."""
    lines = _Lines()
    number = 0
    for record in records:
        number += not record[0].startswith("~")
        lines.take(record, number)
    return lines.root, lines.count


_ASIDE = ("StateSucceeded", "MapRunSucceeded", "MapIterationFailed", "Aborted")
"""Ends of the types of events that a line does not go on from."""


class _Lines:
    """All lines, while the records are read."""

    def __init__(self) -> None:
        self.root = Position(line=0)
        self.count = 1
        """How many lines were opened."""
        self._by_number = {0: self.root}
        self._blocks: list[tuple[int, Position]] = []
        """First line and holder of each group of lines, in order."""

    def take(self, record: Record, number: int) -> None:
        """Follow one record, the event ``number``."""
        kind, _, at, name, data, more, line_number = record
        if kind == "ExecutionRedriven":
            self.root.renew()
            return
        if kind.startswith("Execution"):
            return
        line = self._line(line_number)
        if kind.startswith("~"):
            _note(line, kind, data, at)
            return
        if not kind.endswith(_ASIDE):
            line.last_event = number
        if kind.endswith("StateEntered"):
            _enter(line, name, data, at, number)
        elif kind.endswith("StateExited"):
            variables, following = more
            line.variables.update(variables or {})
            line.state, line.following, line.value, line.ended = None, following, data, following is None
        elif kind.startswith(("Parallel", "Map", "Evaluation")):
            self._inside(line, kind, data, more)
        elif not kind.endswith("StateAborted"):
            _task(line, kind, number, at, data, more)

    def _line(self, number: int) -> Position:
        known = self._by_number.get(number)
        if known is None:
            index = bisect_right(self._blocks, number, key=lambda block: block[0]) - 1
            first, holder = self._blocks[index]
            known = self._by_number[number] = Position(line=number)
            if holder.first_line == first:
                holder.children[number - first] = known
        return known

    def _inside(self, line: Position, kind: str, data: Any, more: Any) -> None:
        """An event of a Parallel, a Map or an expression."""
        match kind:
            case "ParallelStateStarted" | "MapStateStarted":
                line.first_line, count, line.payload = more
                line.children, line.succeeded = {}, False
                if count:
                    self._blocks.append((line.first_line, line))
                    self.count = line.first_line + count
            case "ParallelStateSucceeded" | "MapStateSucceeded":
                line.succeeded = True
            case "MapRunStarted":
                line.payload = data
            case "MapIterationSucceeded":
                line.closed = True
            case "ParallelStateFailed" | "MapStateFailed":
                line.error = StateError(data[0], data[1], more or "")
            case "EvaluationFailed":
                line.error = StateError(data[0], data[1])


def _enter(line: Position, name: str | None, value: Any, at: float, number: int) -> None:
    line.state, line.following, line.value, line.entered_at = name, None, value, at
    line.entered_event = number
    line.retries, line.retry_count, line.due, line.attempt = [], 0, None, None
    line.result, line.error, line.ended = UNDEFINED, None, False
    line.forget_inside()


def _note(line: Position, kind: str, data: Any, at: float) -> None:
    if kind == WAIT_NOTE:
        line.due, line.due_within = data, data - at
    elif kind == ANSWER_NOTE and line.attempt is not None:
        line.attempt = replace(line.attempt, answer=tuple(data))
    if kind != RETRY_NOTE:
        return
    line.retries, line.retry_count, line.due = list(data[0]), data[1], data[2]
    line.due_within = data[2] - at
    line.error, line.attempt, line.result = None, None, UNDEFINED
    line.forget_inside()


def _task(line: Position, kind: str, number: int, at: float, data: Any, more: Any) -> None:
    """An event of a task: Task…, LambdaFunction… or Activity…."""
    if kind.endswith("Scheduled"):
        timeout, heartbeat, token = more
        line.due = None
        line.attempt = Attempt(
            scheduled=number,
            at=at,
            arguments=data,
            timeout_seconds=timeout,
            heartbeat_seconds=heartbeat,
            token=token,
        )
    elif kind.endswith(("Started", "Submitted")):
        if line.attempt is not None:
            taken = line.attempt.submitted or kind == "ActivityStarted" or kind.endswith("Submitted")
            line.attempt = replace(line.attempt, started=True, submitted=taken)
    elif kind.endswith("Succeeded"):
        line.attempt, line.result = None, data
    elif kind.endswith(("Failed", "TimedOut")):
        line.attempt, line.error = None, StateError(data[0], data[1], more or "")
