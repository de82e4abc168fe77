"""Conditions and guards in the state machine: one Choice, and whoever asks later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from stepweave.graph.constructs import Condition, Decision, Guard
from stepweave.graph.model import DagInfo, Expression, FromParam, FromTask, Graph, ParamSpec, Task
from stepweave.validation.definition import validate
from tests.asl.running import Ran, run_graph

OVER = Expression(text="$_0_ > 10", operands=(FromParam(param="p"),))
OVER_FIVE = Expression(text="$_0_ > 5", operands=(FromParam(param="p"),))


def when(decider: str, *cases: str, block: bool = True) -> tuple[Guard, ...]:
    return (Guard(decider=decider, cases=cases, block=block),)


def condition(name: str, *upstream: str, **facts: Any) -> Task:
    cases = facts.pop("cases", (("if", OVER),))
    return Task(id=name, call="", upstream=upstream, condition=Condition(cases=cases), **facts)


def task(name: str, *upstream: str, **facts: Any) -> Task:
    return Task(id=name, call="m:f", upstream=upstream, **facts)


def run(p: int, *tasks: Task, **given: Any) -> Ran:
    params = (ParamSpec(name="p", default_json=str(p)),)
    ran = run_graph(Graph(dag=DagInfo(id="dag", params=params), tasks=tasks), **given)
    assert all(validate(definition) == () for definition in ran.compiled.machines.definitions.values())
    return ran


LADDER = (
    condition("c", cases=(("if", OVER), ("elif_1", OVER_FIVE))),
    task("large", guards=when("c", "if")),
    task("middle", guards=when("c", "elif_1")),
    task("small", guards=when("c", "else")),
    task("join", "large", "middle", "small", trigger_rule="none_failed_min_one_success"),
)


@pytest.mark.parametrize("p, taken", [(20, "large"), (7, "middle"), (1, "small")])
def test_the_first_case_that_holds_is_the_only_one_entered(p: int, taken: str) -> None:
    ran = run(p, *LADDER)
    assert set(ran.started) == {taken, "join"}
    # start, condition, case, check of the join, join
    assert ran.states_entered == 5


def test_a_condition_with_nothing_after_it_costs_one_transition() -> None:
    ran = run(1, task("a"), condition("c", "a"), task("b", "a", guards=when("c", "if")))
    assert set(ran.started) == {"a"}
    assert ran.execution.status == "SUCCEEDED"
    # start, a, condition, outcome, succeeded
    assert ran.states_entered == 5


def test_a_field_of_a_task_is_tested() -> None:
    auc = Expression(text="$_0_ >= 0.8", operands=(FromTask(task="best", path=("auc",)),))
    tasks = (
        task("best", fields=(("auc",),)),
        condition("good", "best", cases=(("if", auc),)),
        task("deploy", "best", guards=when("good", "if")),
        task("alert", "best", guards=when("good", "else")),
    )

    def record(value: float) -> Mapping[str, Any]:
        return {"best": {"status": "success", "fields": {"auc": value}}}

    assert set(run(0, *tasks, records=record(0.9)).started) == {"best", "deploy"}
    assert set(run(0, *tasks, records=record(0.7)).started) == {"best", "alert"}


def test_a_block_whose_condition_is_not_known_does_not_run_whatever_its_rules() -> None:
    tasks = (
        task("a"),
        condition("c", "a"),
        task("b", guards=when("c", "if"), trigger_rule="all_done"),
        task("d", guards=when("c", "else"), trigger_rule="always"),
    )
    ran = run(20, *tasks, fate={"a": "failed"})
    assert set(ran.started) == {"a"}
    assert (ran.execution.status, ran.execution.cause) == ("FAILED", "failed: a")


def test_a_task_in_a_block_waits_for_tasks_outside_that_run_beside_the_condition() -> None:
    tasks = (
        task("slow"),
        condition("c"),
        task("inside", "slow", guards=when("c", "if")),
        task("other", guards=when("c", "if")),
        task("beside", "slow"),
    )
    ran = run(20, *tasks, seconds={"slow": 50.0})
    assert ran.started == {"slow": 0.0, "other": 0.0, "inside": 50.0, "beside": 50.0}
    assert set(run(1, *tasks).started) == {"slow", "beside"}


def test_a_branch_goes_on_with_the_tasks_that_it_names() -> None:
    tasks = (
        task("pick", decides=Decision(kind="branch", cases=("a", "b"))),
        task("a", "pick", guards=when("pick", "a", block=False)),
        task("b", "pick", guards=when("pick", "b", block=False)),
        task("join", "a", "b", trigger_rule="none_failed"),
    )
    chosen = {"pick": {"status": "success", "chosen": ["b"]}}
    assert set(run(0, *tasks, records=chosen).started) == {"pick", "b", "join"}
    both = {"pick": {"status": "success", "chosen": ["a", "b"]}}
    assert set(run(0, *tasks, records=both).started) == {"pick", "a", "b", "join"}
    assert set(run(0, *tasks, fate={"pick": "failed"}).started) == {"pick"}


def test_a_short_circuit_skips_even_what_would_run_after_anything() -> None:
    tasks = (
        task("go", decides=Decision(kind="short_circuit", cases=("go",))),
        task("a", "go", guards=when("go", "go", block=False)),
        task("b", "a", guards=when("go", "go", block=False), trigger_rule="all_done"),
    )
    stop = {"go": {"status": "success", "chosen": []}}
    assert set(run(0, *tasks, records=stop).started) == {"go"}
    on = {"go": {"status": "success", "chosen": ["go"]}}
    assert set(run(0, *tasks, records=on, fate={"a": "failed"}).started) == {"go", "a", "b"}
    # A short circuit that failed decides nothing: the trigger rules do.
    assert set(run(0, *tasks, fate={"go": "failed"}).started) == {"go", "b"}


def test_a_skip_does_not_hide_a_failure_that_comes_later_at_a_gate() -> None:
    tasks = (
        task("quick"),
        task("slow"),
        task("both", "quick", "slow"),
        task("beside", "slow"),
        task("if_skipped", "both", trigger_rule="all_skipped"),
        task("if_failed", "both", trigger_rule="all_failed"),
    )
    ran = run(0, *tasks, seconds={"slow": 30.0}, fate={"quick": "skipped", "slow": "failed"})
    assert set(ran.started) == {"quick", "slow", "if_failed"}
    assert ran.started["if_failed"] == 30.0


@pytest.mark.parametrize(
    "rule, fate, at",
    [
        ("one_success", {}, 1.0),
        ("one_success", {"quick": "failed"}, 30.0),
        ("one_failed", {"quick": "failed"}, 1.0),
        ("one_failed", {"slow": "failed"}, 30.0),
        ("one_done", {"quick": "skipped"}, 30.0),
        ("one_done", {"quick": "failed"}, 1.0),
        ("always", {}, 0.0),
    ],
)
def test_an_early_rule_fires_at_the_word_of_one_task(rule: str, fate: dict[str, str], at: float) -> None:
    tasks = (task("quick"), task("slow"), task("early", "quick", "slow", trigger_rule=rule))
    ran = run(0, *tasks, seconds={"slow": 30.0}, fate=fate)
    assert ran.started["early"] == at


def test_an_early_rule_that_is_never_met_ends_without_running() -> None:
    tasks = (task("a"), task("b"), task("early", "a", "b", trigger_rule="one_success"))
    ran = run(0, *tasks, fate={"a": "failed", "b": "skipped"})
    assert set(ran.started) == {"a", "b"}
    assert ran.execution.cause == "failed: a"
    ran = run(0, *tasks, fate={"a": "skipped", "b": "skipped"})
    assert ran.execution.status == "SUCCEEDED"


def test_a_task_is_told_which_of_its_upstream_tasks_have_not_ended() -> None:
    tasks = (task("quick"), task("slow"), task("early", "quick", "slow", trigger_rule="one_success"))
    ran = run(0, *tasks, seconds={"slow": 30.0})
    assert ran.events["early"]["upstream"] == {"quick": "success", "slow": "running"}


def test_a_tear_down_runs_when_a_setup_of_it_succeeded() -> None:
    tasks = (
        task("make", setup=True),
        task("work", "make"),
        task("remove", "work", "make", teardown=True, trigger_rule="all_done_setup_success"),
    )
    assert set(run(0, *tasks, fate={"work": "failed"}).started) == {"make", "work", "remove"}
    assert set(run(0, *tasks, fate={"make": "failed"}).started) == {"make"}
    skipped = run(0, *tasks, fate={"make": "skipped"})
    assert (set(skipped.started), skipped.execution.status) == ({"make"}, "SUCCEEDED")
