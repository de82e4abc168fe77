"""`chosen(value, choices, task)`: the cases that the value of a branch or a short circuit chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stepweave.errors import PermanentError
from stepweave.runtime.events import Choices

GO = "go"


def chosen(value: Any, choices: Choices, task: str) -> list[str]:
    """The cases, in the order of the answer; ``PermanentError`` that names the ids allowed for any other answer.

    A branch answers with the id of a task or task group, a list of ids, or None for none of them. The prefix of the
    enclosing task group may be left out.
    """
    if choices["kind"] == "short_circuit":
        return [GO] if value else []
    if value is None:
        return []
    ids = [value] if isinstance(value, str) else value
    if not isinstance(ids, (list, tuple, set, frozenset)) or not all(isinstance(one, str) for one in ids):
        raise _refused(f"answered with a {type(value).__name__}", repr(value), choices["cases"], task)
    listed = sorted(ids) if isinstance(ids, (set, frozenset)) else ids
    return list(dict.fromkeys(_case(one, choices["cases"], task) for one in listed))


def _case(name: str, cases: Sequence[str], task: str) -> str:
    if name in cases:
        return name
    ends = [case for case in cases if case.endswith(f".{name}")]
    if len(ends) == 1:
        return ends[0]
    what = f"chose {name!r}, which fits {' and '.join(ends)}" if ends else f"chose {name!r}"
    raise _refused(what, repr(name), cases, task)


def _refused(what: str, got: str, cases: Sequence[str], task: str) -> PermanentError:
    return PermanentError(
        f"branch {task!r} {what}; expected None, or ids among {', '.join(cases)}, got {got}; "
        "return the id of a task that is directly downstream of the branch"
    )
