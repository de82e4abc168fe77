"""The compiler as a whole: its report, its limits, its refusals."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from stepweave.asl.measure import every_state, history_events
from stepweave.compiler import compile_graph
from stepweave.errors import DagError
from stepweave.graph.model import RetryPolicy
from tests.graphs import big_specs, graph_of


def test_the_report_counts_what_the_definitions_hold() -> None:
    compiled = compile_graph(graph_of({"a": [], "b": [], "c": ["a", "b"], "d": ["b"]}))
    report = compiled.report
    definition = compiled.machines.definitions[""]
    assert (report.tasks, report.gates, report.signals, report.machines) == (4, 1, 1, 1)
    assert report.states == sum(1 for _ in every_state(definition))
    assert report.history_events == history_events(definition)
    assert report.definition_bytes == len(compiled.files["dag.asl.json"])
    assert set(report.to_json()) == {
        *("dag_id", "tasks", "states", "transitions", "gates", "signals"),
        *("history_events", "definition_bytes", "machines"),
    }


@pytest.mark.parametrize("shape", ["chain", "fan_out", "random"])
def test_every_machine_of_a_large_dag_holds_the_limits(shape: str) -> None:
    compiled = compile_graph(graph_of(big_specs(3_000)[shape]))
    assert compiled.report.machines > 1
    for name, content in compiled.files.items():
        assert len(content) <= 1_048_576, name
        assert history_events(json.loads(content)) <= 25_000, name


def test_retries_count_against_the_history() -> None:
    graph = graph_of(big_specs(400)["chain"])
    eager = replace(graph, tasks=tuple(replace(task, retry=RetryPolicy(attempts=50)) for task in graph.tasks))
    assert compile_graph(graph).report.machines == 1
    report = compile_graph(eager).report
    assert report.machines > 1
    assert report.history_events <= 25_000


def test_a_single_task_beyond_the_history_is_refused() -> None:
    graph = graph_of({"a": []})
    endless = replace(graph, tasks=(replace(graph["a"], retry=RetryPolicy(attempts=20_000)),))
    with pytest.raises(DagError, match="too-large"):
        compile_graph(endless)
