"""What StartExecution takes: names and inputs of executions.

AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

from __future__ import annotations

import json
from typing import Any

from stepweave.engine.payload import PAYLOAD_BYTES
from stepweave.local_aws.states.failing import ApiError

NAME_CHARACTERS = 80
"""Longest name of an execution, same page."""

_REFUSED = frozenset('<>{}[]?*"#%\\^|~`$&,;:/')


def check_execution_name(name: str) -> str:
    """``name``; raises ``ApiError`` for one that an execution cannot have."""
    wrong = any(letter in _REFUSED or letter.isspace() or not letter.isprintable() for letter in name)
    if wrong or not 1 <= len(name) <= NAME_CHARACTERS:
        raise ApiError("InvalidName", f"Invalid Name: '{name}'")
    return name


def parsed_input(text: str) -> Any:
    """The input that ``text`` is; raises ``ApiError`` for one that is no JSON, or too large."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > PAYLOAD_BYTES:
        raise _no_input(f"{size:,} bytes, at most {PAYLOAD_BYTES:,}")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _no_input(str(error)) from error


def _no_input(why: str) -> ApiError:
    return ApiError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{why}'")


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} does not exist in JSON")
