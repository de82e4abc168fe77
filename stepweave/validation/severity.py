"""Which problems make Step Functions reject a definition, and which only show when it runs."""

from __future__ import annotations

from collections.abc import Iterable

from stepweave.errors import Problem

ADVICE = frozenset(
    {
        "batch-limit",
        "context-member",
        "endless-machine",
        "expression-blanks",
        "inline-map",
        "jsonpath-key",
        "map-items",
        "undefined-variable",
        "unreachable-island",
        "unknown-error",
        "unknown-function",
        "unknown-integration",
    }
)
"""Rules that Step Functions does not enforce when a state machine is created: it may warn, accepts the definition, and
the execution fails or does something else than it says. All other rules are its own."""


def rejections(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those of ``problems`` for which Step Functions rejects the definition."""
    return tuple(problem for problem in problems if problem.code not in ADVICE)
