"""Whatever is drawn ends as the reference model says: every call, attempt, start, status, and the outcome.

``STEPWEAVE_EXAMPLES=10000 pytest tests/control`` draws five times as many.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings

from stepweave.compiler import Compiled, compile_graph
from stepweave.graph.model import Graph
from stepweave.validation.definition import validate
from tests.control.comparing import differences
from tests.control.compiling import in_parts, spread
from tests.control.constructing import over, run_of, task
from tests.control.drawing import EVERYTHING, Drawn, drawn_runs
from tests.control.running import run_drawn
from tests.reference.worlds import World

EXAMPLES = int(os.environ.get("STEPWEAVE_EXAMPLES", "2000"))
"""Drawn runs in all."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of runs, and how many of a hundred are of it."""

    features: frozenset[str]
    share: int
    nodes: int = 9
    compiler: Callable[[Graph], Compiled] = compile_graph


CALLS = frozenset({"sensors", "ladders", "later", "retries", "conditions", "branches"})
KINDS = {
    "trigger rules": Kind(frozenset({"rules", "setups", "optional", "retries", "later"}), 20),
    "decisions": Kind(
        frozenset({"conditions", "branches", "rules", "optional", "setups", "speculations"}), 15
    ),
    "calls that may fail": Kind(CALLS | {"approvals", "nested", "copies", "compensate"}, 15),
    "bodies": Kind(frozenset({"groups", "maps", "loops", "conditions", "retries", "compensate"}), 10),
    "bodies with trigger rules": Kind(frozenset({"groups", "maps", "loops", "rules", "branches"}), 10),
    "everything": Kind(EVERYTHING, 10, nodes=14),
    "everything, in parts": Kind(EVERYTHING, 5, compiler=in_parts),
    "everything, items in executions": Kind(EVERYTHING, 5, compiler=spread),
    "the first failure ends the run": Kind(CALLS | {"fail_fast", "rules", "approvals"}, 5),
    "too many failures stop the run": Kind(CALLS | {"max_failed", "rules", "setups", "compensate"}, 5),
}


def test_the_kinds_make_a_whole() -> None:
    assert sum(kind.share for kind in KINDS.values()) == 100


def test_graphs_are_compiled_in_parts_and_items_spread() -> None:
    tasks = [task("a"), task("m", "a", **over("a")), *(task(f"t{number}", "m") for number in range(9))]
    drawn = run_of(*tasks, world=World(items={("m", ()): 3}))
    assert "m: item (d)" in run_drawn(drawn, compiler=spread).seen.states
    assert len(run_drawn(drawn, compiler=in_parts).compiled.machines.definitions) > 1


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", KINDS)
def test_drawn_runs_end_as_the_model_says(name: str) -> None:
    kind = KINDS[name]

    @settings(max_examples=EXAMPLES * kind.share // 100, deadline=None)
    @given(drawn=drawn_runs(kind.features, kind.nodes))
    def check(drawn: Drawn) -> None:
        ran = run_drawn(drawn, compiler=kind.compiler)
        assert differences(drawn, ran) == []
        for definition in ran.compiled.machines.definitions.values():
            assert validate(definition) == ()

    check()
