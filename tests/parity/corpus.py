"""All machines written by hand."""

from __future__ import annotations

from tests.parity.cases import Case
from tests.parity.machines import blocks, distributed, edges, expressions, flow, limits, scopes, tasks

CASES: tuple[Case, ...] = (
    *flow.CASES,
    *tasks.CASES,
    *blocks.CASES,
    *scopes.CASES,
    *distributed.CASES,
    *expressions.CASES,
    *limits.CASES,
    *edges.CASES,
)
