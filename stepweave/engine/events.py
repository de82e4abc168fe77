"""What happens in a run, told at once to whoever listens: the command line, a recorder, a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "execution_started",
    "state_entered",
    "task_scheduled",
    "task_started",
    "task_retrying",
    "task_succeeded",
    "task_failed",
    "state_exited",
    "execution_ended",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. Values are the run's own: read them, never change them."""

    kind: Kind
    at: float
    """Seconds since the epoch."""
    execution: str
    """Name of the execution; a nested machine's is another than its parent's."""
    machine: str
    state: str | None = None
    """Name of the state; None for the events of an execution."""
    resource: str | None = None
    """What a task calls: ``lambda:invoke``."""
    attempt: int = 0
    """Retries of the state before this attempt."""
    data: Any = None
    """Input (started, entered), arguments (scheduled, started) or output (succeeded, exited, ended)."""
    status: str | None = None
    """How an execution ended."""
    error: str | None = None
    cause: str | None = None
    delay_seconds: float | None = None
    """Time until the next attempt, when retrying."""
    line: int = 0
    """Line of the execution: 0 is the machine's own; each branch and each iteration of an inline Map has another."""
    following: str | None = None
    """The state that comes after one that was exited; None where the line ends."""
    variable: Callable[[str], Any] = field(default=lambda name: None, repr=False, compare=False)
    """The value of a variable as the state sees it now; something that is no JSON value when there is none."""


Listener: TypeAlias = Callable[[Event], None]
"""Called inside the run, so it must return at once and raise nothing."""
