"""The plan of any graph is exact: every task may start when its own upstream tasks have ended."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stepweave.planning.model import Await, Parallel, Run, Sequence, Signal, tasks_of, walk
from stepweave.planning.plan import to_plan
from tests.graphs import big_specs, finish_times, graph_of, series_parallel_specs, specs
from tests.planning.constraints import plan_finish_times


@settings(max_examples=400, deadline=None)
@given(spec=specs(max_tasks=24), data=st.data())
def test_no_task_waits_for_anything_but_its_upstream_tasks(
    spec: dict[str, list[str]], data: st.DataObject
) -> None:
    seconds = {task: float(data.draw(st.integers(1, 20))) for task in spec}
    assert plan_finish_times(to_plan(graph_of(spec)), seconds) == finish_times(spec, seconds)


@settings(max_examples=200, deadline=None)
@given(spec=specs(max_tasks=24))
def test_every_task_is_planned_once(spec: dict[str, list[str]]) -> None:
    assert sorted(tasks_of(to_plan(graph_of(spec)))) == sorted(spec)


@settings(max_examples=200, deadline=None)
@given(spec=series_parallel_specs())
def test_a_series_parallel_graph_needs_no_gate(spec: dict[str, list[str]]) -> None:
    steps = list(walk(to_plan(graph_of(spec))))
    assert not [step for step in steps if isinstance(step, Await | Signal)]


@settings(max_examples=200, deadline=None)
@given(spec=specs(max_tasks=20))
def test_every_gate_waits_for_signals_that_are_sent(spec: dict[str, list[str]]) -> None:
    steps = list(walk(to_plan(graph_of(spec))))
    sent = {
        (group, gate)
        for step in steps
        if isinstance(step, Signal)
        for group in step.groups
        for gate in step.gates
    }
    awaited = {(group, step.gate) for step in steps if isinstance(step, Await) for group in step.parents}
    assert sent == awaited


def test_the_smallest_prime_graph_has_one_gate() -> None:
    plan = to_plan(graph_of({"a": [], "b": [], "c": ["a", "b"], "d": ["b"]}))
    assert plan == Parallel(
        (
            Sequence((Run("a"), Await("c", (("b",),)), Run("c"))),
            Sequence((Run("b"), Signal((("b",),), ("c",)), Run("d"))),
        )
    )


def test_a_module_inside_a_prime_part_shares_one_gate() -> None:
    spec = {"a": [], "b": [], "x": ["a", "b"], "y": ["a", "b"], "z": ["a", "b"], "d": ["b"]}
    gates = [step for step in walk(to_plan(graph_of(spec))) if isinstance(step, Await)]
    assert gates == [Await("x", (("b",),))]


def test_an_edge_that_another_path_implies_costs_nothing() -> None:
    assert to_plan(graph_of({"a": [], "b": ["a"], "c": ["a", "b"]})) == Sequence(
        (Run("a"), Run("b"), Run("c"))
    )


def test_primes_in_a_row_are_joined_without_a_gate_between_them() -> None:
    first = {"a": [], "b": [], "c": ["a", "b"], "d": ["b"]}
    second = {"e": ["c", "d"], "f": ["e"], "g": ["e"], "h": ["f", "g"], "i": ["g"]}
    gates = [step.gate for step in walk(to_plan(graph_of(first | second))) if isinstance(step, Await)]
    assert gates == ["c", "h"]


def test_ten_thousand_tasks_plan_without_recursion_trouble() -> None:
    for spec in big_specs(10_000).values():
        assert sum(1 for _ in tasks_of(to_plan(graph_of(spec)))) == 10_000


def test_the_same_graph_gives_the_same_plan() -> None:
    spec = big_specs(300)["random"]
    assert to_plan(graph_of(spec)) == to_plan(graph_of(spec))
