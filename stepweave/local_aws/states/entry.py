"""`Entry`: what is known of one execution besides its history, and how it is written to disk."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from stepweave.engine.execution import Execution, Status
from stepweave.engine.operations import REDRIVABLE_EVENTS, REDRIVABLE_SECONDS
from stepweave.engine.payload import to_text
from stepweave.local_aws.states.machines import Logging, Revision


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """One execution that somebody started; the children of its distributed maps are in its engine."""

    arn: str
    name: str
    revision: Revision
    input: str = field(repr=False)
    """As it was given: JSON text."""
    started_at: float
    """Seconds since the epoch, in whole milliseconds as all moments here."""
    started_by: str | None = None
    """The call of another execution that started it."""
    status: Status = "RUNNING"
    stopped_at: float | None = None
    output: str | None = field(default=None, repr=False)
    error: str | None = None
    cause: str | None = None
    redrive_count: int = 0
    redriven_at: float | None = None
    events: int = 0
    """Length of its history when it ended."""
    logged: int = 0
    """How many of them were logged."""

    def close(self, execution: Execution) -> None:
        """Be as ``execution`` is, which has ended."""
        self.status, self.stopped_at = execution.status, in_milliseconds(execution.stopped_at or 0.0)
        self.output = to_text(execution.output) if execution.status == "SUCCEEDED" else None
        self.error, self.cause = execution.error, execution.cause
        self.events = len(execution.history)

    def reopen(self, execution: Execution) -> None:
        """Be as ``execution`` is, which was redriven."""
        self.status, self.stopped_at, self.error, self.cause = "RUNNING", None, None, None
        self.redrive_count = execution.redrive_count
        self.redriven_at = in_milliseconds(execution.redriven_at or 0.0)

    def why_not_redrivable(self, now: float) -> str | None:
        """Why it cannot be redriven; None when it can:
        https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html.
        """
        if self.status in ("RUNNING", "SUCCEEDED"):
            return f"Execution is {self.status} and cannot be redriven"
        if self.revision.express:
            return "Execution is of a state machine of type EXPRESS and cannot be redriven"
        if self.events >= REDRIVABLE_EVENTS:
            return "Execution history event limit exceeded"
        if self.stopped_at is not None and now - self.stopped_at > REDRIVABLE_SECONDS:
            return "Execution has exceeded the redrivable period"
        return None

    def summary(self) -> dict[str, Any]:
        """An item of ListExecutions."""
        return _present(
            executionArn=self.arn,
            stateMachineArn=self.revision.machine_arn,
            name=self.name,
            status=self.status,
            startDate=self.started_at,
            stopDate=self.stopped_at,
            stateMachineVersionArn=self.revision.version_arn,
            stateMachineAliasArn=self.revision.alias_arn,
            redriveCount=self.redrive_count,
            redriveDate=self.redriven_at,
        )

    def description(self, now: float) -> dict[str, Any]:
        """DescribeExecution's answer."""
        reason = self.why_not_redrivable(now)
        return self.summary() | _present(
            input=self.input,
            inputDetails={"included": True},
            output=self.output,
            outputDetails=None if self.output is None else {"included": True},
            error=self.error,
            cause=self.cause,
            redriveStatus="REDRIVABLE" if reason is None else "NOT_REDRIVABLE",
            redriveStatusReason=reason,
        )

    def as_head(self, definition: str) -> dict[str, Any]:
        """What is kept on disk; ``definition`` names the definition there."""
        head = asdict(self)
        head["revision"]["definition"] = definition
        return head

    @classmethod
    def from_head(cls, head: Mapping[str, Any], definition: str) -> Entry:
        """The entry of :meth:`as_head`, with the definition itself."""
        revision = dict(head["revision"], definition=definition)
        revision["logging"] = Logging(**revision["logging"])
        return cls(**{**head, "revision": Revision(**revision)})


def in_milliseconds(seconds: float) -> float:
    """A moment without what is less than a millisecond: as AWS tells it, in answers and events alike.

    >>> in_milliseconds(100.0329)
    100.032
    """
    return math.floor(seconds * 1000) / 1000


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
