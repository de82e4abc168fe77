"""Speculations: the body begins at once, and counts only if the decision is in its favour."""

from __future__ import annotations

from typing import Any

import pytest

from stepweave.compiler import compile_graph
from stepweave.graph.constructs import Body, Condition, Speculation
from stepweave.graph.model import Expression, FromTask, Graph, Task
from stepweave.validation.definition import validate
from tests.asl.running import Ran, run_graph
from tests.asl.scoped import DAG, graph, likely, task

CHOOSES = {
    "yes": {"status": "success", "fields": {"ok": True}},
    "no": {"status": "success", "fields": {"ok": False}},
}


def ran(wanted: Graph, answer: str, **world: Any) -> Ran:
    found = run_graph(wanted, records={"b": CHOOSES[answer]}, **world)
    for definition in found.compiled.machines.definitions.values():
        assert validate(definition) == ()
    return found


def test_the_body_begins_before_the_decision_and_the_node_ends_after_it() -> None:
    found = ran(likely(task("s.x"), task("s.y", "s.x")), "yes", seconds={"b": 10.0})
    assert found.execution.status == "SUCCEEDED"
    assert found.started["s.x"] == 1.0
    assert found.started["z"] == 12.0  # after b, and after the commit
    assert found.events["s"]["commit"] == ["s.x", "s.y"]


def test_what_the_body_runs_is_staged_until_then() -> None:
    found = ran(likely(task("s.x")), "yes")
    assert found.events["s.x"]["stage"] is True
    assert "stage" not in found.events["a"]
    assert "stage" not in found.events["z"]


def test_a_body_that_does_not_count_is_dropped_as_soon_as_that_is_known() -> None:
    wanted = likely(task("s.x"), task("s.y", "s.x"))
    found = ran(wanted, "no", seconds={"b": 2.0, "s.x": 50.0})
    assert found.execution.status == "SUCCEEDED"
    assert found.started["z"] == 3.0
    assert "s.y" not in found.started
    assert "s" not in found.events  # nothing is committed


def test_a_failure_of_a_body_that_does_not_count_is_none() -> None:
    found = ran(likely(task("s.x")), "no", fate={"s.x": "failed"}, seconds={"b": 5.0})
    assert found.execution.status == "SUCCEEDED"


@pytest.mark.parametrize("fate, status", [("failed", "FAILED"), ("skipped", "SUCCEEDED")])
def test_a_body_that_counts_ends_as_it_ends(fate: str, status: str) -> None:
    found = ran(likely(task("s.x"), rule="all_success"), "yes", fate={"s.x": fate})
    assert found.execution.status == status
    assert "z" not in found.started


def test_a_decision_that_is_never_made_fails_what_waits_for_it() -> None:
    found = ran(likely(task("s.x"), rule="all_done"), "yes", fate={"b": "failed"})
    assert found.started["z"] == 2.0
    assert ran(likely(task("s.x")), "yes", fate={"b": "failed"}).execution.status == "FAILED"


def test_the_other_case_may_be_the_likely_one() -> None:
    assert "s" in ran(likely(task("s.x"), cases=("else",)), "no").events


def test_it_costs_six_transitions_and_the_signal() -> None:
    wanted = likely(task("s.x"), rule="all_success")
    found = ran(wanted, "yes")
    others = ("start run", "a", "branches 1", "b", "c", "s.x", "z", "run failed?", "run succeeded")
    assert found.states_entered == len(others) + 6 + 1
    assert compile_graph(wanted).report.transitions == found.states_entered


def test_the_node_itself_may_stand_behind_a_gate() -> None:
    test = Expression(text="$_0_ = true", operands=(FromTask(task="a", path=("ok",)),))
    wanted = graph(
        task("a", fields=(("ok",),)),
        task("b"),
        Task(id="c", call="", upstream=("a",), condition=Condition(cases=(("if", test),))),
        Task(
            id="s",
            call="",
            upstream=("a", "b"),
            body=Body(graph=Graph(dag=DAG, tasks=(task("s.x"),))),
            speculation=Speculation(decider="c", cases=("if",)),
        ),
    )
    found = run_graph(wanted, records={"a": CHOOSES["yes"]}, seconds={"b": 4.0})
    assert validate(found.compiled.machines.definitions[""]) == ()
    assert found.started["s.x"] == 4.0
    assert found.execution.status == "SUCCEEDED"
