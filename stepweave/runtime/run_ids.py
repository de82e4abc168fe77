"""`new_run_id` and `check_run_id`: names of runs, which are names of Step Functions executions too."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from stepweave.errors import UsageError

MAX_LENGTH = 80
"""Longest execution name: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html"""

_VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def new_run_id(dag_id: str, now: datetime, token: str | None = None) -> str:
    """``<dag>-YYYYmmddTHHMMSS-xxxx``, at most 80 characters; ``token`` replaces the random end.

    Example: ``new_run_id("sales", datetime(2026, 1, 2, 3, 4, 5), "0a1b")`` is ``"sales-20260102T030405-0a1b"``.
    """
    end = f"-{now:%Y%m%dT%H%M%S}-{token or secrets.token_hex(2)}"
    return dag_id[: MAX_LENGTH - len(end)] + end


def check_run_id(run_id: str) -> str:
    """``run_id`` itself, when it can name an execution and a folder."""
    if len(run_id) > MAX_LENGTH or not _VALID.fullmatch(run_id):
        raise UsageError(
            f"the run id {run_id!r} cannot name an execution: use 1 to {MAX_LENGTH} letters, digits, '_' and '-', "
            "beginning with a letter or a digit"
        )
    return run_id
