"""`check_execution_name`: which names an execution may have.

AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

from __future__ import annotations

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
