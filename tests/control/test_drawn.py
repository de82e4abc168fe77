"""Whatever is drawn ends as the reference model says: every call, attempt, start, status, and the outcome."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings

from stepweave.validation.definition import validate
from tests.control.comparing import differences
from tests.control.drawing import Drawn, drawn_runs
from tests.control.running import run_drawn

EXAMPLES = int(os.environ.get("STEPWEAVE_EXAMPLES", "2000"))
"""Drawn runs in all."""

SHARES = {
    "rules": (frozenset({"rules", "setups", "optional", "retries"}), 0.25),
    "conditions": (frozenset({"rules", "conditions", "optional"}), 0.15),
    "branches": (frozenset({"rules", "branches", "conditions"}), 0.15),
}


def assert_as_predicted(drawn: Drawn) -> None:
    ran = run_drawn(drawn)
    assert differences(drawn, ran) == []
    for definition in ran.compiled.machines.definitions.values():
        assert validate(definition) == ()


@pytest.mark.parametrize("kind", SHARES)
def test_drawn_runs_end_as_the_model_says(kind: str) -> None:
    features, share = SHARES[kind]

    @settings(max_examples=int(EXAMPLES * share), deadline=None)
    @given(drawn=drawn_runs(features))
    def check(drawn: Drawn) -> None:
        assert_as_predicted(drawn)

    check()
