"""What the cause of an error says, for people and for programs."""

from __future__ import annotations

import json
from typing import Any


def error_message(cause: str | None, error: str = "") -> str:
    """What people should read of the cause of ``error``: type and message, or the whole text when it has another form.

    The type is left out where it is ``error`` itself.
    """
    try:
        parts = json.loads(cause or "")
    except ValueError:
        return cause or ""
    if not isinstance(parts, dict):
        return cause or ""
    if isinstance(parts.get("errorMessage"), str):  # how Lambda wraps a function's error
        return error_message(parts["errorMessage"], error)
    if isinstance(parts.get("ExecutionArn"), str):  # how an execution inside another ends in failure
        return _of_execution(parts)
    kind, message = parts.get("type"), parts.get("message", parts.get("StatusReason"))
    if not isinstance(message, str):
        return cause or ""
    return f"{kind}: {message}" if isinstance(kind, str) and kind != error else message


def _of_execution(parts: dict[str, Any]) -> str:
    """``inner: failed: load``: the machine, and why its execution failed."""
    machine = str(parts.get("StateMachineArn") or parts["ExecutionArn"].rpartition(":")[0]).rpartition(":")[2]
    said = error_message(parts.get("Cause")) or str(parts.get("Error") or parts.get("Status") or "it failed")
    return f"{machine}: {said}"


def record_in(text: str) -> dict[str, Any]:
    """The record that the text of an error holds; empty when it holds none."""
    try:
        record = json.loads(text)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
