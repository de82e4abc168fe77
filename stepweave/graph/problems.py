"""A problem at the place in the user's code where a task or DAG was written."""

from __future__ import annotations

from stepweave.errors import Problem
from stepweave.graph.model import Source


def problem_at(
    source: Source | None,
    code: str,
    what: str,
    *,
    task: str | None = None,
    expected: str | None = None,
    got: str | None = None,
    fix: str | None = None,
) -> Problem:
    """The problem, with file and line of ``source``."""
    return Problem(
        what=what,
        code=code,
        file=source.file if source else None,
        line=source.line if source else None,
        task=task,
        expected=expected,
        got=got,
        fix=fix,
    )
