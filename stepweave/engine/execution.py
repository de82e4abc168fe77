"""`Execution`: one run of one machine, while it goes on and afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from stepweave.engine.history import History
from stepweave.engine.place import EMBEDDED, Place

Status: TypeAlias = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


@dataclass(slots=True, kw_only=True, eq=False)
class Execution:
    """Read it; the engine alone changes it."""

    name: str
    machine: str
    """Name of its machine; of a child of a distributed map ``MACHINE/LABEL``."""
    input: Any = field(repr=False)
    started_at: float
    """Seconds since the epoch."""
    history: History = field(repr=False)
    status: Status = "RUNNING"
    output: Any = field(default=None, repr=False)
    """The result; None unless SUCCEEDED."""
    error: str | None = None
    cause: str | None = None
    stopped_at: float | None = None
    started_by: str | None = None
    """What started it inside the engine: the name of a call (``Call.name``) or of a map run; None for a root."""
    express: bool = False
    """Whether it is a child of a distributed map of type EXPRESS."""
    map_run: str | None = None
    """ARN of the map run whose child it is."""
    map_attempt: int = 0
    """The redrive of the map run in which it last ran, from 1; 0 for the first attempt."""
    redrive_count: int = 0
    redriven_at: float | None = None
    lines: int = field(default=1, repr=False)
    """Lines that its history knows."""
    place: Place = field(default=EMBEDDED, repr=False)

    @property
    def arn(self) -> str:
        """The ARN, as ``$states.context.Execution.Id`` has it."""
        return self.place.execution_arn(self.machine, self.name)

    @property
    def machine_arn(self) -> str:
        """The ARN of its machine, as ``$states.context.StateMachine.Id`` has it."""
        return self.place.machine_arn(self.machine)
