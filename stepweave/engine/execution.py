"""`Execution`: one run of one machine, while it goes on and afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from stepweave.engine.history import History

Status: TypeAlias = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]

ACCOUNT = "000000000000"
REGION = "local"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/stepweave"


def machine_arn(machine: str) -> str:
    """The ARN of a state machine of the embedded engine."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine}"


def execution_arn(machine: str, name: str) -> str:
    """The ARN of an execution of the embedded engine."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{machine}:{name}"


@dataclass(slots=True, kw_only=True, eq=False)
class Execution:
    """Read it; the engine alone changes it."""

    name: str
    machine: str
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

    @property
    def arn(self) -> str:
        """The ARN, as ``$states.context.Execution.Id`` has it."""
        return execution_arn(self.machine, self.name)
