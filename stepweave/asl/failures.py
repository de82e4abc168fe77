"""What is written down of a task that did not succeed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepweave.asl.states import State

ERROR = "$states.errorOutput.Error"
"""In a catcher: the name of the error."""

SKIP = "Skip"
STOPPED = "RunStopped"
"""Raised instead of an attempt once more tasks have failed than the DAG allows."""

WON = "Won"
"""Raised by the attempt that wins a race, so that the others end."""

ALL_ERRORS = (["States.DataLimitExceeded"], ["States.ALL"])
"""``States.ALL`` does not match DataLimitExceeded
(https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html)."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The records of an end that is no success."""

    own: dict[str, Any]
    """That of the task."""
    stop: dict[str, Any]
    """That of what cannot run any more because of it."""


def failed(task: str, error: str = ERROR, *, optional: bool = False, stoppable: bool = False) -> Ended:
    """The records of ``task`` after the error whose name the JSONata ``error`` gives.

    Args:
        task: Id of the task.
        error: JSONata for the name of the error.
        optional: Its failure counts as a skip.
        stoppable: The DAG stops after too many failures; what is not begun then has not failed.
    """
    name = f"{{% {error} %}}"
    if optional:
        # An expression, not a literal: tallies are computed from it.
        skipped = {"status": "{% 'skipped' %}", "by": [task]}
        return Ended({**skipped, "error": name}, skipped)
    other, by = "'failed'", [task]
    if stoppable:
        other = f"{error} = '{STOPPED}' ? 'upstream_failed' : 'failed'"
        by = f"{{% {error} = '{STOPPED}' ? [] : ['{task}'] %}}"  # type: ignore[assignment]
    skip_or = f"{error} = '{SKIP}' ? 'skipped' : "
    return Ended(
        {"status": f"{{% {skip_or}{other} %}}", "by": by, "error": name},
        {"status": f"{{% {skip_or}'upstream_failed' %}}", "by": by},
    )


def skipped(task: str) -> Ended:
    """The records of ``task`` after it was skipped without an error."""
    record = {"status": "{% 'skipped' %}", "by": [task]}
    return Ended(record, record)


def rethrown() -> State:
    """The state that raises again the error that led to it."""
    return {"Type": "Fail", "Error": "{% $states.input.Error %}", "Cause": "{% $states.input.Cause %}"}
