"""Compiled machines do what the graph says, whatever fails: against a model in plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepweave.asl.reads import leaves
from stepweave.graph.model import Graph
from stepweave.graph.outcomes import verdict
from stepweave.validation.definition import validate
from tests.asl.running import run_graph
from tests.graphs import big_specs, finish_times, graph_of, series_parallel_specs, specs

EVERY_RULE = (
    "all_done",
    "all_failed",
    "all_skipped",
    "none_failed",
    "none_skipped",
    "none_failed_min_one_success",
)
FATES = st.sampled_from(["success", "success", "success", "failed", "skipped"])


def model(graph: Graph, fate: Mapping[str, str]) -> tuple[dict[str, str], set[str]]:
    """Status of every task, and the tasks that run, by Airflow's rules."""
    statuses: dict[str, str] = {}
    ran = set()
    for task in graph.tasks:
        upstream = [statuses[up] for up in task.upstream]
        result = verdict(task.trigger_rule, upstream) if upstream else "run"
        if result == "run":
            ran.add(task.id)
            result = fate.get(task.id, "success")
        statuses[task.id] = result
    return statuses, ran


def assert_runs_as_modelled(graph: Graph, fate: Mapping[str, str]) -> None:
    statuses, ran = model(graph, fate)
    result = run_graph(graph, fate={task: end for task, end in fate.items() if end != "success"})
    assert set(result.started) == ran
    failed = any(statuses[leaf] in ("failed", "upstream_failed") for leaf in leaves(graph))
    expected = ("FAILED", "DagRunFailed") if failed else ("SUCCEEDED", None)
    assert (result.execution.status, result.execution.error) == expected


@settings(max_examples=250, deadline=None)
@given(spec=specs(), data=st.data())
def test_any_graph_with_failures_skips_and_clean_ups(spec: dict[str, list[str]], data: st.DataObject) -> None:
    rules = {task: "all_done" for task in spec if data.draw(st.integers(0, 4)) == 0}
    assert_runs_as_modelled(graph_of(spec, rules), {task: data.draw(FATES) for task in spec})


@settings(max_examples=250, deadline=None)
@given(spec=series_parallel_specs(max_depth=3), data=st.data())
def test_series_parallel_graphs_with_every_trigger_rule(
    spec: dict[str, list[str]], data: st.DataObject
) -> None:
    rules = {task: data.draw(st.sampled_from(EVERY_RULE)) for task in spec if data.draw(st.booleans())}
    assert_runs_as_modelled(graph_of(spec, rules), {task: data.draw(FATES) for task in spec})


@settings(max_examples=250, deadline=None)
@given(spec=specs(max_tasks=20), data=st.data())
def test_every_task_starts_when_its_last_upstream_task_ends(
    spec: dict[str, list[str]], data: st.DataObject
) -> None:
    seconds = {task: float(data.draw(st.integers(1, 30))) for task in spec}
    result = run_graph(graph_of(spec), seconds)
    assert result.execution.status == "SUCCEEDED"
    assert result.ended == pytest.approx(finish_times(spec, seconds))


@settings(max_examples=250, deadline=None)
@given(spec=specs(max_tasks=25), data=st.data())
def test_every_compiled_machine_is_accepted_by_the_linter(
    spec: dict[str, list[str]], data: st.DataObject
) -> None:
    rules = {task: "all_done" for task in spec if data.draw(st.integers(0, 3)) == 0}
    for definition in run_graph(graph_of(spec, rules)).compiled.machines.definitions.values():
        assert validate(definition) == ()


@settings(max_examples=60, deadline=None)
@given(spec=specs())
def test_the_plan_tells_the_transitions_of_a_run(spec: dict[str, list[str]]) -> None:
    result = run_graph(graph_of(spec))
    assert result.states_entered == result.compiled.report.transitions


def test_a_fast_branch_of_an_n_goes_on_before_the_slow_one_ends() -> None:
    result = run_graph(graph_of({"a": [], "b": [], "c": ["a", "b"], "d": ["b"]}), {"a": 100.0, "b": 1.0})
    assert result.started["d"] == pytest.approx(1.0)
    assert result.started["c"] == pytest.approx(100.0)


def test_a_failure_stops_only_what_depends_on_it_and_the_run_names_it() -> None:
    spec = {"a": [], "b": [], "c": ["a", "b"], "d": ["b"], "e": ["a"]}
    result = run_graph(graph_of(spec), fate={"a": "failed"})
    assert set(result.started) == {"a", "b", "d"}
    assert (result.execution.status, result.execution.cause) == ("FAILED", "failed: a")


def test_a_tear_down_runs_after_a_failure_and_does_not_hide_it() -> None:
    graph = graph_of({"a": [], "b": ["a"], "clean_up": ["b"]}, {"clean_up": "all_done"})
    tasks = tuple(replace(task, teardown=task.id == "clean_up") for task in graph.tasks)
    result = run_graph(replace(graph, tasks=tasks), fate={"a": "failed"})
    assert set(result.started) == {"a", "clean_up"}
    assert result.execution.cause == "failed: a"


def test_fail_fast_ends_with_the_error_of_the_task() -> None:
    result = run_graph(graph_of({"a": [], "b": ["a"], "c": []}, fail_fast=True), fate={"a": "failed"})
    assert (result.execution.status, result.execution.error) == ("FAILED", "PermanentError")


@pytest.mark.parametrize("shape", ["chain", "fan_out", "random"])
def test_nested_machines_run_as_one(shape: str) -> None:
    spec = big_specs(1_500)[shape]
    result = run_graph(graph_of(spec))
    assert result.compiled.report.machines > 1
    assert result.execution.status == "SUCCEEDED"
    assert result.ended == pytest.approx(finish_times(spec, dict.fromkeys(spec, 1.0)))


@pytest.mark.parametrize("shape", ["chain", "fan_out", "random"])
def test_a_failure_inside_a_nested_machine_reaches_the_outcome(shape: str) -> None:
    spec = big_specs(1_500)[shape]
    result = run_graph(graph_of(spec), fate={"t700": "failed"})
    statuses, ran = model(graph_of(spec), {"t700": "failed"})
    assert set(result.started) == ran
    assert (result.execution.status, result.execution.cause) == ("FAILED", "failed: t700")
    assert "upstream_failed" in statuses.values()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shape", ["chain", "fan_out", "random"])
def test_ten_thousand_tasks_hold_every_limit_and_run_to_the_end(shape: str) -> None:
    spec = big_specs(10_000)[shape]
    result = run_graph(graph_of(spec))
    report = result.compiled.report
    assert report.definition_bytes <= 1_048_576
    assert report.history_events <= 25_000
    assert result.execution.status == "SUCCEEDED"
    assert result.ended == pytest.approx(finish_times(spec, dict.fromkeys(spec, 1.0)))
