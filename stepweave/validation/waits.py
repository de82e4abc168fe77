"""The Wait state: one time, by seconds or by the clock.

https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stepweave.validation.jsonata import is_expression
from stepweave.validation.report import Add

_TIMESTAMP = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
"""RFC 3339 with an upper case T, and an upper case Z where there is no offset."""


def check_wait(state: Mapping[str, Any], add: Add) -> None:
    """Report what is wrong with the times of a Wait."""
    given = [field for field in ("Seconds", "Timestamp") if field in state]
    if len(given) != 1:
        got = " and ".join(given) or None
        add("wait-form", "a Wait needs exactly one of Seconds and Timestamp", got=got)
    timestamp = state.get("Timestamp")
    if isinstance(timestamp, str) and not is_expression(timestamp) and not _TIMESTAMP.fullmatch(timestamp):
        expected = "a time like 2026-11-20T06:00:00Z, or an expression {% … %}"
        add("field-type", "Timestamp has a wrong value", expected=expected, got=timestamp)
