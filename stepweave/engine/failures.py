"""Errors inside a run: their names, which names match them, and how a function's exception becomes one.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias

TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
TASK_FAILED = "States.TaskFailed"
RUNTIME = "States.Runtime"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"

ALL = "States.ALL"
MARSHAL_ERROR = "Runtime.MarshalError"

ERROR_CHARACTERS = 256
"""Longest error name: https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html."""
CAUSE_CHARACTERS = 32_768
"""Longest cause, same page."""

Kind: TypeAlias = Literal["", "heartbeat", "result"]
"""What the name of an error does not tell: a missed heartbeat is reported as ``States.Timeout``; a *result* that is too
large is matched by the wildcards, any other data limit is not."""


class StateError(Exception):
    """A state failed: the error name and the cause that retriers and catchers see."""

    def __init__(self, error: str | None, cause: str | None = None, kind: Kind = "") -> None:
        self.error = error if error is None else error[:ERROR_CHARACTERS]
        self.cause = cause if cause is None else cause[:CAUSE_CHARACTERS]
        self.kind = kind
        super().__init__(f"{self.error}: {self.cause}" if self.cause else str(self.error))

    def output(self) -> dict[str, str | None]:
        """``$states.errorOutput``: what a catcher hands on by default."""
        return {"Error": self.error or "", "Cause": self.cause or ""}


class FunctionError(Exception):
    """A function failed with this error name and cause; raise it to choose both."""

    def __init__(self, error: str, cause: str | None = None) -> None:
        self.error = error
        self.cause = cause
        super().__init__(f"{error}: {cause}" if cause else error)


def matches(failure: StateError, names: Collection[str]) -> bool:
    """Whether an ``ErrorEquals`` list matches an error; ``States.Runtime`` is matched by nothing.

    >>> timeout = StateError("States.Timeout")
    >>> matches(timeout, ["States.TaskFailed"]), matches(timeout, ["States.ALL"])
    (False, True)
    """
    error = failure.error
    if error == RUNTIME:
        return False
    if error in names or (failure.kind == "heartbeat" and HEARTBEAT_TIMEOUT in names):
        return True
    if ALL in names:
        return error != DATA_LIMIT_EXCEEDED or failure.kind == "result"
    # Of the second the documentation says nothing; it was measured (docs/parity.md).
    return TASK_FAILED in names and error not in (TIMEOUT, QUERY_EVALUATION_ERROR)
