"""How a run ends: undoing what it did, going on by itself, telling somebody, and cleaning up after it was stopped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepweave.asl.measure import every_state
from stepweave.compiler import compile_graph
from stepweave.graph.constructs import Body, Expansion
from stepweave.graph.model import (
    Expression,
    FromParam,
    FromTask,
    Graph,
    Literal,
    ParamSpec,
    Resources,
    Task,
)
from tests.asl.scripted import SUCCESS, Ran, dag, error, in_turn, run_scripted, task

BAD = error("DataError")


def called(ran: Ran) -> list[str]:
    """Calls in the order in which they were made."""
    return [event["call"] for event in ran.events]


# Compensation.


def booking() -> Graph:
    return dag(
        task("flight", compensate="m:cancel_flight"),
        task("hotel", "flight", compensate="m:cancel_hotel"),
        task("pay", "hotel"),
    )


def test_a_failed_run_undoes_what_it_did_the_last_first() -> None:
    ran = run_scripted(booking(), {"pay": BAD})
    assert called(ran) == ["m:flight", "m:hotel", "m:pay", "m:cancel_hotel", "m:cancel_flight"]
    assert ran.outcome == ("FAILED", "failed: pay")
    undo = ran.events[3]
    assert (undo["task"], undo["undo"]) == ("hotel", {"of": "hotel"})
    assert json.loads(undo["args"]) == {"flight": {"t": "flight"}}


def test_what_a_task_computed_its_arguments_from_is_kept_for_its_undo() -> None:
    assert run_scripted(booking()).events[0]["compensated"] is True


def test_compensation_costs_a_run_that_succeeds_nothing_and_a_failed_one_a_transition_each() -> None:
    assert run_scripted(booking()).transitions == 1 + 3
    assert run_scripted(booking(), {"pay": BAD}).transitions == 1 + 3 + 1 + 2 + 1


def test_an_undo_that_fails_keeps_no_other_from_running_and_is_named() -> None:
    def hotel(event: dict[str, Any]) -> Any:
        return error("DataError") if "undo" in event else SUCCESS

    ran = run_scripted(booking(), {"pay": BAD, "hotel": hotel})
    assert called(ran)[-1] == "m:cancel_flight"
    assert ran.outcome == ("FAILED", "failed: pay; not undone: hotel")


def test_an_undo_is_tried_again_even_where_its_task_is_not() -> None:
    failing = in_turn(SUCCESS, error("TransientError"), SUCCESS)
    ran = run_scripted(booking(), {"pay": BAD, "flight": failing})
    assert called(ran)[-2:] == ["m:cancel_flight", "m:cancel_flight"]


def test_the_undo_of_a_task_inside_a_body_stands_where_its_node_stands() -> None:
    inner = dag(task("group.book", compensate="m:cancel_book"), task("group.note", "group.book"))
    items = Literal(json="[1,2]")
    group = Task(
        id="group",
        call="",
        upstream=("flight",),
        body=Body(graph=inner),
        expansion=Expansion(how="product", arguments=(("x", items),)),
    )
    graph = dag(task("flight", compensate="m:cancel_flight"), group, task("pay", "group", arguments=()))
    ran = run_scripted(graph, {"pay": BAD})
    assert called(ran)[-2:] == ["m:cancel_book", "m:cancel_flight"]
    assert "index" not in ran.events[-2]["run"]


def test_the_arguments_of_an_undo_count_expressions_as_those_of_the_task_do() -> None:
    test = Expression(text="$_0_ + 1", operands=(FromTask(task="a", path=("n",)),))
    graph = dag(
        task("a", fields=(("n",),)),
        task("b", "a", arguments=(("x", test), ("y", FromTask(task="a"))), compensate="m:undo"),
        task("c", "b"),
    )
    ran = run_scripted(graph, {"a": {"status": "success", "fields": {"n": 1}}, "c": BAD})
    assert json.loads(ran.events[-1]["args"]) == json.loads(ran.of("b")[0]["args"])
    assert ran.of("b")[0]["values"] == [2]
    assert "values" not in ran.events[-1]


def many(count: int) -> Graph:
    first = task("t0", compensate="m:undo_t0")
    others = (task(f"t{n}", f"t{n - 1}", compensate=f"m:undo_t{n}") for n in range(1, count))
    return dag(first, *others, task("pay", f"t{count - 1}"))


@pytest.mark.parametrize("start", ["", "cleanup"])
def test_many_tasks_are_undone_in_machines_of_their_own(start: str) -> None:
    def bad(event: dict[str, Any]) -> Any:
        return BAD if "undo" in event else SUCCESS

    graph = many(700)
    ran = run_scripted(graph, {"pay": BAD, "t3": bad, "t600": bad}, start=start, given={"run_id": "r"})
    undone = [event["task"] for event in ran.events if "undo" in event]
    assert undone == [f"t{n}" for n in reversed(range(700))]
    assert {"undo_1", "undo_2", "cleanup"} < set(ran.compiled.machines.definitions)
    assert ran.compiled.report.history_events <= 25_000
    if start:
        assert ran.execution.output["not_undone"] == ["t600", "t3"]
    else:
        assert ran.outcome == ("FAILED", "failed: pay; not undone: t600, t3")


# Going on by itself.


def test_a_failed_run_goes_on_from_its_successes_as_often_as_it_may() -> None:
    graph = dag(task("a"), task("b", "a"), retries=2)
    ran = run_scripted(graph, {"b": in_turn(BAD, BAD, SUCCESS)}, given={"run_id": "r"})
    assert called(ran) == ["m:a", "m:b"] * 3
    assert ran.outcome == ("SUCCEEDED", None)
    runs = [event["run"] for event in ran.of("a")]
    assert [run["resume"] for run in runs] == [False, True, True]
    assert {run["id"] for run in runs} == {"r"}
    first = runs[0]["execution"]
    assert [run["execution"] for run in runs] == [first, f"{first}~1", f"{first}~1~1"]


def test_going_on_costs_the_choice_and_what_runs_again() -> None:
    ran = run_scripted(dag(task("a"), retries=1), {"a": in_turn(BAD, SUCCESS)})
    assert ran.states == ["start run", "a", "run failed?", "a"]


def test_only_the_last_failure_is_followed_by_compensation_and_a_notice() -> None:
    graph = dag(task("a", compensate="m:undo"), task("b", "a"), retries=1, on_failure="m:told")
    ran = run_scripted(graph, {"b": BAD})
    assert called(ran) == ["m:a", "m:b", "m:a", "m:b", "m:undo", "m:told"]


def test_gates_of_a_run_that_goes_on_are_fresh_ones() -> None:
    graph = dag(task("a"), task("b"), task("c", "a", "b"), task("d", "b"), retries=1)
    ran = run_scripted(graph, {"b": in_turn(BAD, SUCCESS)})
    assert ran.outcome == ("SUCCEEDED", None)
    assert called(ran).count("m:c") == 1


def test_the_history_counts_every_time_that_a_run_may_go_on() -> None:
    once = compile_graph(dag(task("a"))).report.history_events
    assert compile_graph(dag(task("a"), retries=3)).report.history_events >= 4 * once


# Notices.


@pytest.mark.parametrize("leaves", [1, 2])
def test_somebody_is_told_of_success_for_one_transition(leaves: int) -> None:
    tasks = [task(f"t{number}") for number in range(leaves)]
    silent, telling = dag(*tasks), dag(*tasks, on_success="m:told")
    ran = run_scripted(telling)
    assert ran.events[-1]["notice"] == {"status": "success", "by": []}
    assert (ran.events[-1]["task"], ran.events[-1]["call"]) == ("on_success", "m:told")
    # One leaf ends the machine itself; before a notice it cannot.
    assert ran.transitions == run_scripted(silent).transitions + (2 if leaves == 1 else 1)


def test_somebody_is_told_which_tasks_failed() -> None:
    graph = dag(task("a"), task("b"), task("c"), on_failure="m:told")
    ran = run_scripted(graph, {"a": BAD, "b": BAD})
    assert ran.events[-1]["notice"] == {"status": "failed", "by": ["a", "b"]}
    assert ran.outcome == ("FAILED", "failed: a, b")


@pytest.mark.parametrize("on", ["on_success", "on_failure"])
def test_a_notice_that_fails_changes_nothing(on: str) -> None:
    graph = dag(task("a"), **{on: "m:told"})
    answers = {on: BAD, "a": SUCCESS if on == "on_success" else BAD}
    ran = run_scripted(graph, answers)
    assert ran.execution.status == ("SUCCEEDED" if on == "on_success" else "FAILED")
    assert ran.execution.error == (None if on == "on_success" else "DagRunFailed")


# Cleaning up.


def with_setups(**options: Any) -> Graph:
    return dag(
        task("cluster", setup=True, compensate="m:delete_data"),
        task("disk", "cluster", setup=True),
        task("work", "disk"),
        task("drop_disk", "work", "disk", teardown=True, trigger_rule="all_done_setup_success", **options),
        task("drop_cluster", "drop_disk", "cluster", teardown=True, trigger_rule="all_done_setup_success"),
    )


def test_a_stopped_run_is_cleaned_up_by_a_machine_of_its_own() -> None:
    ran = run_scripted(with_setups(), start="cleanup", given={"run_id": "r", "params": {}})
    assert called(ran) == ["m:drop_disk", "m:drop_cluster", "m:delete_data"]
    assert [event.get("setups") for event in ran.events] == [["disk"], ["cluster"], None]
    assert all(event["run"]["id"] == "r" for event in ran.events)
    assert ran.events[0]["rerun"] is True
    assert "upstream" not in ran.events[0]
    assert ran.execution.output == {"run_id": "r", "status": "cleaned up", "not_undone": []}


def test_cleaning_up_passes_over_every_failure() -> None:
    answers = {"drop_disk": BAD, "drop_cluster": error("Skip"), "cluster": error("PermanentError")}
    ran = run_scripted(with_setups(), answers, start="cleanup")
    assert (ran.execution.status, len(ran.events)) == ("SUCCEEDED", 3)
    assert ran.execution.output["not_undone"] == ["cluster"]


def test_a_tear_down_may_be_a_job_there_too() -> None:
    ran = run_scripted(with_setups(resources=Resources(gpu=1)), {"drop_disk": {"uri": "x"}}, start="cleanup")
    assert ran.jobs == ["JobDefinition_drop_disk"]
    assert called(ran) == ["m:drop_disk", "m:drop_cluster", "m:delete_data"]


def test_what_a_tear_down_computes_from_params_is_known_there_and_from_tasks_is_not() -> None:
    known = Expression(text="$_0_ & '!'", operands=(FromParam(param="p"),))
    lost = Expression(text="$_0_", operands=(FromTask(task="a", path=("n",)),))
    graph = dag(
        task("a", fields=(("n",),)),
        task("drop", "a", teardown=True, trigger_rule="all_done", arguments=(("x", known), ("y", lost))),
        params=(ParamSpec(name="p", default_json='"ok"'),),
    )
    assert run_scripted(graph, start="cleanup").events[0]["values"] == ["ok!", None]


def test_a_dag_with_nothing_to_clean_up_has_no_such_machine() -> None:
    assert set(compile_graph(dag(task("a"), task("b", "a"))).machines.definitions) == {""}
    assert set(compile_graph(with_setups()).machines.definitions) == {"", "cleanup"}
    assert "dag.cleanup.asl.json" in compile_graph(with_setups()).files


def test_cleaning_up_does_not_count_as_transitions() -> None:
    graph = with_setups()
    report = compile_graph(graph).report
    assert report.transitions == run_scripted(graph).transitions


def test_a_run_that_asks_for_nothing_has_no_further_state() -> None:
    states = dict(every_state(compile_graph(dag(task("a"), task("b"))).machines.definitions[""]))
    assert set(states) == {
        "start run", "branches 1", "a", "b", "a: stopped", "b: stopped", "run failed?", "run succeeded", "run failed",
    }  # fmt: skip
