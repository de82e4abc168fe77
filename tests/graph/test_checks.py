"""Mistakes of a graph that nobody traced."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pytest

from stepweave.graph.checks import RESERVED_DAG_IDS, check
from stepweave.graph.constructs import Body, Guard
from stepweave.graph.model import (
    DagInfo,
    Expression,
    FromParam,
    FromTask,
    Graph,
    ListOf,
    ParamSpec,
    Resources,
    RetryPolicy,
    Source,
    Task,
)
from stepweave.graph.outcomes import RULES


def task_of(**facts: Any) -> Task:
    return Task(**{"id": "t", "call": "m:f", "source": Source(file="f.py", line=3), **facts})


def codes(*tasks: Task, **dag: Any) -> list[str]:
    return [problem.code for problem in check(Graph(dag=DagInfo(**{"id": "dag", **dag}), tasks=tasks))]


def test_a_sound_graph_has_no_problems() -> None:
    tasks = (task_of(id="a.b-c_1"), task_of(id="b", upstream=("a.b-c_1",), owner="A & B", doc="{% ${x} %}"))

    assert codes(*tasks) == []


def test_a_problem_says_where_the_task_was_written() -> None:
    (problem,) = check(Graph(dag=DagInfo(id="dag"), tasks=(task_of(id="1"),)))

    assert (problem.file, problem.line, problem.task) == ("f.py", 3, "1")


@pytest.mark.parametrize("reserved", sorted(RESERVED_DAG_IDS))
def test_an_id_that_all_dags_of_an_environment_share_is_no_dags(reserved: str) -> None:
    dag = DagInfo(id=reserved, source=Source(file="f.py", line=9))
    (problem,) = check(Graph(dag=dag, tasks=(task_of(),)))

    assert (problem.file, problem.line, problem.code) == ("f.py", 9, "name")
    assert problem.what.startswith(f"the DAG id {reserved!r} is reserved")
    assert problem.fix == f"write dag_id='{reserved}_dag'"


@pytest.mark.parametrize(
    "id, fix", [("churn--cleanup", "churn_cleanup"), ("-churn", "churn"), ("churn-", "churn"), ("a b", "a_b")]
)
def test_a_dag_is_not_called_like_the_part_of_another_one(id: str, fix: str) -> None:
    (problem,) = check(Graph(dag=DagInfo(id=id), tasks=(task_of(),)))

    assert (problem.code, problem.fix) == ("name", f"write dag_id={fix!r}")
    assert codes(task_of(), id=fix) == []


@pytest.mark.parametrize(
    "facts, code",
    [
        ({"id": "1a"}, "name"),
        ({"id": "a b"}, "name"),
        ({"id": "a" * 61}, "name-length"),
        ({"owner": "{% x %}"}, "text-code"),
        ({"tags": ("ok", "Ref::x")}, "text-code"),
        ({"upstream": ("ghost",)}, "unknown-reference"),
        ({"upstream": ("t",)}, "self-reference"),
        ({"arguments": (("x", FromParam(param="ghost")),)}, "unknown-reference"),
        ({"arguments": (("x", ListOf(items=(FromTask(task="ghost"),))),)}, "unknown-reference"),
        ({"arguments": (("x", FromTask(task="t")),)}, "missing-edge"),
        ({"arguments": (("x", Expression(text="$_0_", operands=(FromTask(task="t"),))),)}, "missing-edge"),
        ({"fields": (("a", "b"), ("a.b",))}, "field-name"),
        ({"fields": ((), ("value",))}, "field-name"),
        ({"trigger_rule": "sometimes"}, "trigger-rule"),
        ({"teardown": True, "trigger_rule": "all_done"}, "teardown"),
        ({"timeout_seconds": 0}, "limit"),
        ({"timeout_seconds": 100_000_000}, "limit"),
        ({"retry": RetryPolicy(attempts=100_000_000)}, "limit"),
        ({"retry": RetryPolicy(delay_seconds=0)}, "limit"),
        ({"retry": RetryPolicy(delay_seconds=60, max_delay_seconds=60)}, "limit"),
        ({"retry": RetryPolicy(backoff=0.9)}, "limit"),
        ({"retry": RetryPolicy(on=("States.ALL",))}, "retry-error"),
        ({"retry": RetryPolicy(on=("not a name",))}, "retry-error"),
        ({"compute": "lambda", "timeout_seconds": 901}, "limit"),
        ({"compute": "lambda", "resources": Resources(memory_mib=64)}, "limit"),
        ({"compute": "lambda", "resources": Resources(ephemeral_mib=20_000)}, "limit"),
        ({"compute": "lambda", "resources": Resources(cpu=8)}, "limit"),
        ({"compute": "lambda", "resources": Resources(spot=True)}, "compute"),
        ({"resources": Resources(gpu=1), "timeout_seconds": 30}, "limit"),
        ({"resources": Resources(gpu=100)}, "limit"),
        ({"resources": Resources(memory_mib=61_440 * 1024)}, "limit"),
        ({"resources": Resources(cpu=5000)}, "limit"),
    ],
)
def test_a_mistake_in_a_task_is_found(facts: dict[str, Any], code: str) -> None:
    assert codes(task_of(**facts)) == [code]


@pytest.mark.parametrize("rule", sorted(RULES))
def test_rules_that_work_are_accepted(rule: str) -> None:
    assert codes(task_of(trigger_rule=rule)) == []


def test_a_guard_names_a_task_of_the_graph() -> None:
    assert codes(task_of(guards=(Guard(decider="nobody", cases=("if",), block=True),))) == [
        "unknown-reference"
    ]


def test_a_task_inside_a_body_may_read_what_its_node_waits_for_and_nothing_else() -> None:
    inner = Graph(
        dag=DagInfo(id="dag"), tasks=(Task(id="g.a", call="m:f", arguments=(("x", FromTask(task="rows")),)),)
    )
    rows = task_of(id="rows")
    waits = Task(id="g", call="", upstream=("rows",), body=Body(graph=inner))
    assert check(Graph(dag=DagInfo(id="dag"), tasks=(rows, waits))) == ()
    (problem,) = check(Graph(dag=DagInfo(id="dag"), tasks=(rows, replace(waits, upstream=()))))
    assert (problem.code, problem.task) == ("missing-edge", "g")


def test_ids_inside_bodies_are_unique_in_the_whole_dag() -> None:
    inner = Graph(dag=DagInfo(id="dag"), tasks=(task_of(id="a"),))
    graph = Graph(
        dag=DagInfo(id="dag"), tasks=(task_of(id="a"), Task(id="g", call="", body=Body(graph=inner)))
    )
    assert [problem.code for problem in check(graph)] == ["duplicate-id"]


@pytest.mark.parametrize(
    "facts, code",
    [
        ({"id": "a b"}, "name"),
        ({"id": "d" * 61}, "name-length"),
        ({"owner": "${Team}"}, "text-code"),
        ({"tags": ("{%",)}, "text-code"),
        ({"timeout_seconds": 40_000_000}, "limit"),
    ],
)
def test_a_mistake_in_the_dag_is_found(facts: dict[str, Any], code: str) -> None:
    assert codes(task_of(), **facts) == [code]


def test_an_id_that_is_too_long_is_given_by_the_option_that_sets_it() -> None:
    (problem,) = check(Graph(dag=DagInfo(id="d" * 61), tasks=(task_of(),)))
    assert problem.fix == "shorten it, or give dag_id="


def test_a_declared_param_may_be_used() -> None:
    used = task_of(arguments=(("x", FromParam(param="p")),))

    assert codes(used, params=(ParamSpec(name="p"),)) == []


def test_an_empty_dag_and_two_tasks_of_one_id_are_found() -> None:
    assert codes() == ["empty-dag"]
    assert codes(task_of(), task_of()) == ["duplicate-id"]


def test_a_cycle_and_other_mistakes_are_found_together() -> None:
    ring = (task_of(id="a", upstream=("b",)), task_of(id="b", upstream=("a",), trigger_rule="x"))

    assert codes(*ring) == ["trigger-rule", "cycle"]


def test_a_clean_up_comes_last_and_has_its_rule() -> None:
    first, clean = task_of(id="a"), task_of(id="c", upstream=("a",), teardown=True, trigger_rule="all_done")

    assert codes(first, clean) == []
    assert codes(first, clean, task_of(id="z", upstream=("c",))) == ["teardown"]
    assert codes(first, clean, dataclasses.replace(clean, id="z", upstream=("c",))) == []
    assert codes(first, dataclasses.replace(clean, trigger_rule="none_failed")) == ["teardown"]


def test_rules_that_wait_for_failures_contradict_fail_fast() -> None:
    tasks = (task_of(id="a"), task_of(id="b", upstream=("a",), trigger_rule="all_done"))

    assert codes(*tasks, fail_fast=True) == ["fail-fast"]


@pytest.mark.parametrize("facts", [{"optional": True}, {"compensate": "m:undo"}])
def test_nothing_can_follow_a_failure_where_the_first_one_ends_the_run(facts: dict[str, Any]) -> None:
    assert codes(task_of(**facts), fail_fast=True) == ["fail-fast"]
    assert codes(task_of(**facts)) == []


@pytest.mark.parametrize("facts", [{"retries": 1}, {"on_failure": "m:alert"}])
def test_a_fail_fast_dag_has_no_end_at_which_to_act(facts: dict[str, Any]) -> None:
    assert codes(task_of(), fail_fast=True, **facts) == ["fail-fast"]
    assert codes(task_of(), **facts) == []


@pytest.mark.parametrize("rule", ["one_success", "one_failed", "one_done", "always"])
def test_what_starts_before_a_task_ends_cannot_compute_with_its_value(rule: str) -> None:
    doubled = Expression(text="$_0_ * 2", operands=(FromTask(task="a"),))
    early = task_of(upstream=("a", "b"), trigger_rule=rule, arguments=(("x", doubled),))
    assert codes(task_of(id="a"), task_of(id="b"), early) == ["early-expression"]
