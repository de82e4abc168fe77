"""`lost(event, prefix)`: the error of a Batch job that ended without a result and without an error of its task.

Its container was killed, never began, or Batch did not take the job; only Batch knows why.
"""

from __future__ import annotations

import json
import re

from stepweave.errors import PermanentError, ResourceError, TaskError
from stepweave.runtime.events import Event

_REASON = re.compile(r'"(?:Status)?Reason"\s*:\s*("(?:[^"\\]|\\.)*")')
"""In the description of a job, of which Step Functions hands on as much as it has room for
(https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDetail.html)."""
_OUT_OF_MEMORY = "OutOfMemory"
_MAX_SHOWN = 500


class OutOfMemory(ResourceError):
    """A job's container took more memory than it was given."""


def lost(event: Event, prefix: str) -> TaskError:
    """The error to raise: ``OutOfMemory`` or ``PermanentError``, with what Batch says."""
    cause = event.get("cause", "")
    if _OUT_OF_MEMORY in cause:
        return OutOfMemory(
            f"the job of task {event['task']!r} was killed for its memory; give it more memory="
        )
    why = f": {reasons(cause)}" if cause else ""
    return PermanentError(f"the job of task {event['task']!r} ended without a result under {prefix!r}{why}")


def reasons(cause: str) -> str:
    """Why a job failed: the reasons in its description, each once; the beginning of any other text.

    >>> reasons('{"Attempts": [{"StatusReason": "Host EC2 terminated."}], "StatusReason": "Host EC2 terminated."}')
    'Host EC2 terminated.'
    """
    found = dict.fromkeys(json.loads(text, strict=False) for text in _REASON.findall(cause))
    return "; ".join(text for text in found if text)[:_MAX_SHOWN] or cause[:_MAX_SHOWN]
