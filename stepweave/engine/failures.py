"""Errors inside a run: their names, which names match them, and how a function's exception becomes one.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

from collections.abc import Collection

TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
TASK_FAILED = "States.TaskFailed"
RUNTIME = "States.Runtime"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"
NO_CHOICE_MATCHED = "States.NoChoiceMatched"
ALL = "States.ALL"
MARSHAL_ERROR = "Runtime.MarshalError"

ERROR_CHARACTERS = 256
"""Longest error name: https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html."""
CAUSE_CHARACTERS = 32_768
"""Longest cause, same page."""

# A wildcard matches every error except these.
_NOT_MATCHED_BY = {
    ALL: frozenset({RUNTIME, DATA_LIMIT_EXCEEDED}),
    TASK_FAILED: frozenset({RUNTIME, TIMEOUT, HEARTBEAT_TIMEOUT}),
}


class StateError(Exception):
    """A state failed: the error name and the cause that retriers and catchers see."""

    def __init__(self, error: str | None, cause: str | None = None) -> None:
        self.error = error if error is None else error[:ERROR_CHARACTERS]
        self.cause = cause if cause is None else cause[:CAUSE_CHARACTERS]
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


def matches(error: str | None, names: Collection[str]) -> bool:
    """Whether an ``ErrorEquals`` list matches an error; ``States.Runtime`` is matched by nothing.

    >>> matches("States.Timeout", ["States.TaskFailed"]), matches("States.Timeout", ["States.ALL"])
    (False, True)
    """
    if error == RUNTIME:
        return False
    if error in names:
        return True
    if error == HEARTBEAT_TIMEOUT and TIMEOUT in names:
        return True
    return any(name in names and error not in excluded for name, excluded in _NOT_MATCHED_BY.items())
