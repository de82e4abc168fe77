"""Which executions are cleaned up after, and how the execution is called that does it. The recorder ships it."""

from __future__ import annotations

import hashlib

from stepweave.errors import TASKS_FAILED

CLEANUP = "cleanup"
"""Name of the machine of a DAG that cleans up after runs that broke off."""
MAX_NAME = 80
"""Longest name of an execution: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html"""


def is_broken_off(status: str, error: str) -> bool:
    """Whether an execution ended without reaching its own end, where tear-downs and compensations are."""
    return status in ("cancelled", "timed_out") or (status == "failed" and error != TASKS_FAILED)


def cleanup_name(execution: str, redrives: int) -> str:
    """Name of the execution that cleans up after ``execution``; the same each time.

    >>> cleanup_name("r1", 0), cleanup_name("r1", 2)
    ('r1-cleanup', 'r1-cleanup-2')
    """
    end = f"-cleanup-{redrives}" if redrives else "-cleanup"
    if len(execution) + len(end) <= MAX_NAME:
        return execution + end
    digest = hashlib.sha256(execution.encode()).hexdigest()[:8]
    return f"{execution[: MAX_NAME - len(end) - 9]}-{digest}{end}"
