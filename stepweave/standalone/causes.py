"""`message_and_trace`: a cause as people read it; that of a function's exception is JSON."""

from __future__ import annotations

import json


def message_and_trace(cause: str) -> tuple[str, str]:
    """What the cause says, and where a function raised it; the latter is empty for other causes.

    >>> message_and_trace('{"errorMessage": "no funds", "errorType": "CardDeclined"}')
    ('no funds', '')
    >>> message_and_trace("no funds")
    ('no funds', '')
    """
    try:
        found = json.loads(cause)
    except (ValueError, RecursionError):
        return cause, ""
    if not isinstance(found, dict) or not isinstance(found.get("errorMessage"), str):
        return cause, ""
    trace = found.get("stackTrace")
    return found["errorMessage"], "".join(map(str, trace)) if isinstance(trace, list) else ""
