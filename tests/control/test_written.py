"""What is drawn and then written with ``If``, ``expand`` and groups means the same, and runs as that."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from stepweave.errors import DagError
from tests.control.comparing import differences
from tests.control.drawing import Drawn, drawn_runs
from tests.control.running import run_drawn
from tests.control.writing import WRITABLE, without_order_on_conditions, written
from tests.reference.model import predict


def refusals(meant: Drawn) -> dict[str, str]:
    """Task and code of what authoring refuses in it; empty when it can be written."""
    try:
        written(meant)
    except DagError as refused:
        return {str(problem.task): problem.code for problem in refused.problems}
    return {}


@settings(max_examples=200, deadline=None)
@given(drawn=drawn_runs(WRITABLE))
def test_a_graph_that_is_written_by_hand_runs_as_the_one_that_was_meant(drawn: Drawn) -> None:
    meant = replace(drawn, graph=without_order_on_conditions(drawn.graph))
    told = predict(meant.graph, meant.world)
    refused = refusals(meant)
    if refused:  # only what cannot run is, and it does not
        assert set(refused.values()) == {"never-runs"}
        assert "success" not in {status for (name, _), status in told.statuses.items() if name in refused}
        return
    by_hand = written(meant)
    assert predict(by_hand.graph, by_hand.world).statuses == told.statuses
    assert differences(by_hand, run_drawn(by_hand)) == []
