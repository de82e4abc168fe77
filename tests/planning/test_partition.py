"""Cutting a plan into nested machines: every machine holds the limits, nothing is lost, and order stays exact."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepweave.planning.model import Await, Nested, Parallel, Plan, Run, Sequence, tasks_of, walk
from stepweave.planning.partition import CALL, Cost, cut
from stepweave.planning.plan import to_plan
from tests.graphs import big_specs, finish_times, graph_of, specs
from tests.planning.constraints import plan_finish_times

SMALL = Cost(bytes=20_000, events=400, depth=6)


def cost_of(step: Plan) -> Cost:
    return Cost(bytes=2_000, events=20) if isinstance(step, Run) else Cost(bytes=1_500, events=24)


def machine_cost(body: Plan) -> Cost:
    """Cost of what ``body`` holds in its own machine."""
    match body:
        case Sequence(steps=inner):
            return sum((machine_cost(step) for step in inner), Cost())
        case Parallel(branches=inner):
            total = sum((machine_cost(branch) for branch in inner), Cost())
            return Cost(total.bytes, total.events, total.depth + 1)
        case Nested():
            return CALL
        case _:
            return cost_of(body)


def machines(plan: Plan) -> list[Plan]:
    return [plan, *(node.body for node in walk(plan) if isinstance(node, Nested))]


@settings(max_examples=100, deadline=None)
@given(spec=specs(max_tasks=60))
def test_every_machine_holds_the_limits_and_every_task_stays(spec: dict[str, list[str]]) -> None:
    plan = cut(to_plan(graph_of(spec)), cost_of, SMALL)
    assert sorted(tasks_of(plan)) == sorted(spec)
    for machine in machines(plan):
        assert machine_cost(machine).fits(SMALL)


@settings(max_examples=60, deadline=None)
@given(spec=specs(max_tasks=40), data=st.data())
def test_a_cut_changes_no_order(spec: dict[str, list[str]], data: st.DataObject) -> None:
    seconds = {task: float(data.draw(st.integers(1, 9))) for task in spec}
    plan = cut(to_plan(graph_of(spec)), cost_of, SMALL)
    assert plan_finish_times(plan, seconds) == finish_times(spec, seconds)


def test_a_plan_that_fits_is_left_alone() -> None:
    plan = to_plan(graph_of(big_specs(100)["random"]))
    assert cut(plan, cost_of) == plan


@pytest.mark.parametrize("shape", ["chain", "fan_out"])
def test_machines_are_packed_full(shape: str) -> None:
    plan = cut(to_plan(graph_of(big_specs(1_000)[shape])), cost_of, SMALL)
    tasks_each = SMALL.bytes // 2_000
    assert len(machines(plan)) <= 1_000 / tasks_each * 1.6


def test_a_gate_is_never_parted_from_what_it_guards() -> None:
    plan = cut(to_plan(graph_of(big_specs(400)["random"])), cost_of, SMALL)
    for node in walk(plan):
        if isinstance(node, Sequence):
            assert not isinstance(node.steps[-1], Await)
        if isinstance(node, Nested):
            assert not isinstance(node.body, Await)


def test_nested_machines_are_named_in_order() -> None:
    plan = cut(to_plan(graph_of(big_specs(200)["chain"])), cost_of, SMALL)
    names = [node.name for node in walk(plan) if isinstance(node, Nested)]
    assert names == [f"part_{number}" for number in range(1, len(names) + 1)]
