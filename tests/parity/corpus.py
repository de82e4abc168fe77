"""All machines written by hand."""

from __future__ import annotations

from tests.parity.cases import Case
from tests.parity.machines import (
    catching,
    contexts,
    distributed,
    edges,
    expressions,
    flow,
    limits,
    maps,
    parallels,
    scopes,
    tasks,
    thresholds,
)

CASES: tuple[Case, ...] = (
    *flow.CASES,
    *tasks.CASES,
    *catching.CASES,
    *parallels.CASES,
    *maps.CASES,
    *scopes.CASES,
    *contexts.CASES,
    *distributed.CASES,
    *thresholds.CASES,
    *expressions.CASES,
    *limits.CASES,
    *edges.CASES,
)
