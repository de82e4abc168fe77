"""What a run is said to have come to, task by task and item by item, is what the reference model says."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings

from stepweave.compiler import compile_graph
from stepweave.embedded.flows import Flow
from stepweave.embedded.live_run import LiveRun, LiveRuns
from stepweave.embedded.places import places_of
from stepweave.stores.objects import open_store
from tests.control.drawing import Drawn, drawn_runs
from tests.control.running import RUN_NAME, run_drawn
from tests.reference.model import predict

EXAMPLES = int(os.environ.get("STEPWEAVE_EXAMPLES", "2000")) // 20
"""Drawn runs of each kind."""

KINDS = {
    "trigger rules": {"rules", "setups", "optional", "retries", "later"},
    "decisions": {"conditions", "branches", "rules", "optional"},
    "calls": {"sensors", "ladders", "later", "retries", "approvals", "copies"},
    "bodies": {"groups", "maps", "loops", "conditions", "retries"},
}


def statuses_of(drawn: Drawn) -> dict[tuple[str, tuple[int, ...]], str | None]:
    """The status of every task run that the run told of."""
    flow = Flow(compile_graph(drawn.graph), places_of(drawn.graph))
    live = LiveRun(
        flow,
        RUN_NAME,
        jobs={f"JobDefinition_{task}": task for task in flow.places},
        job_failure=lambda task, index: None,
        observers=[],
        store=open_store("nowhere"),
    )
    run_drawn(drawn, LiveRuns(live, {}, lambda dag, given: None, lambda live, event: None))
    live.end()
    found: dict[tuple[str, tuple[int, ...]], str | None] = {}
    for run in live.runs.every_run():
        if run.index or not flow.places[run.task].depth:
            index = tuple(map(int, run.index.split("/"))) if run.index else ()
            found[run.task, index] = run.status
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_statuses_are_those_of_the_model(kind: str) -> None:
    @settings(max_examples=EXAMPLES, deadline=None)
    @given(drawn=drawn_runs(frozenset(KINDS[kind])))
    def check(drawn: Drawn) -> None:
        told, found = predict(drawn.graph, drawn.world), statuses_of(drawn)
        expected = {place: one.status for place, one in told.happened.items() if place not in told.dropped}
        assert {place: found.get(place) for place in expected} == expected

    check()
