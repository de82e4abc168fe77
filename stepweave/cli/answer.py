"""What a command gives back, and how values and errors become text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from stepweave.errors import ProblemsError, StepweaveError

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=False)
class Answer:
    """The result of a command."""

    value: object
    """What ``--json`` prints; None for nothing."""
    status: int = 0
    """Exit status of the process."""
    error: str = ""
    """What people read on standard error."""


def to_json(value: object, *, indent: int | None = None) -> str:
    """``value`` as JSON on one line, or indented; it can be written to any stream in UTF-8."""
    separators = (", ", ": ") if indent is None else (",", ": ")
    return writable(json.dumps(value, ensure_ascii=False, separators=separators, indent=indent))


def writable(text: str) -> str:
    """``text``, halves of surrogate pairs, which UTF-8 does not have, as JSON escapes them."""
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def error_object(error: StepweaveError) -> dict[str, object]:
    """``{"error": {"message", "problems": [...]}}``, each problem with the parts of a ``Problem``."""
    problems = [problem.to_json() for problem in error.problems] if isinstance(error, ProblemsError) else []
    return {"error": {"message": str(error), "problems": problems}}


def error_text(error: StepweaveError) -> str:
    """The error as people read it: every problem, and how many."""
    if isinstance(error, ProblemsError) and len(error.problems) > 1:
        return f"{error}\n\n{len(error.problems)} problems"
    return f"error: {error}"
