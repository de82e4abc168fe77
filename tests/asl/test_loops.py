"""Loops: rounds, their state, their price, and what happens before a history is full."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from stepweave.compiler import compile_graph
from stepweave.engine.failures import FunctionError
from stepweave.graph.constructs import Body, Loop
from stepweave.graph.model import (
    DictOf,
    Expression,
    FromParam,
    FromState,
    FromTask,
    Graph,
    Literal,
    ParamSpec,
    Task,
)
from tests.asl.scoped import answered, calls, graph, group, loop, rounds, run, task, written
from tests.reference.worlds import World

LONG = (
    task("l.t0"),
    *(task(f"l.t{number}", f"l.t{number - 1}") for number in range(1, 30)),
    task("l.t", "l.t29"),
)
"""A body of which no 40 rounds have room in one execution."""


def test_a_loop_ends_when_its_condition_holds() -> None:
    world, fields = rounds("l", "l.b", 3)
    ran = run(graph(loop("l", 9, task("l.a"), task("l.b", "l.a")), task("z", "l")), world, fields)
    assert {place for place in calls(ran) if place[0] == "l.b"} == {("l.b", (number,)) for number in range(3)}
    assert ran.seen.started["z", ()] == 6.0


def test_a_round_costs_two_transitions_and_its_tasks() -> None:
    world, fields = rounds("l", "l.t", 2)
    ran = run(graph(loop("l", 9, task("l.t")), task("z", "l")), world, fields)
    assert [name for name in ran.seen.states if name.startswith("l")] == [
        *("l: start", "l", "l.t", "l: again?", "l", "l.t", "l: again?")
    ]
    assert ran.compiled.report.transitions == len(ran.seen.states) - 3  # the plan counts one round


@pytest.mark.parametrize("exhausted, status", [("continue", "SUCCEEDED"), ("fail", "FAILED")])
def test_no_more_rounds_than_allowed(exhausted: str, status: str) -> None:
    ran = run(graph(loop("l", 4, task("l.t"), exhausted=exhausted), task("z", "l")))
    assert sum(name == "l.t" for name, _ in calls(ran)) == 4
    assert ran.execution.status == status


@pytest.mark.parametrize("error, status", [("PermanentError", "FAILED"), ("Skip", "SUCCEEDED")])
def test_a_round_that_does_not_succeed_ends_the_loop(error: str, status: str) -> None:
    ran = run(graph(loop("l", 4, task("l.t")), task("z", "l")), World(scripts={("l.t", (1,)): (error,)}))
    assert sum(name == "l.t" for name, _ in calls(ran)) == 2
    assert ("z", ()) not in calls(ran)
    assert ran.execution.status == status


def test_what_follows_runs_after_a_failed_loop_if_its_rule_says_so() -> None:
    world = World(scripts={("l.t", (0,)): ("PermanentError",)})
    ran = run(graph(loop("l", 4, task("l.t")), task("z", "l", trigger_rule="all_done")), world)
    assert ("z", ()) in calls(ran)


def test_a_reader_is_told_the_number_of_the_last_round() -> None:
    values: list[Any] = []

    def answer(event: Any) -> Any:
        if event["task"] == "z":
            values.append(event["values"])
        return {"status": "success", "value": "1", "fields": {"done": event["run"].get("index") == "2"}}

    assert answered(graph(loop("l", 9, task("l.t")), task("z", "l")), answer).status == "SUCCEEDED"
    assert values == [[2]]


def test_the_condition_may_read_params_and_the_number_of_the_round() -> None:
    operands = (
        FromState(node="l", path=("loss",)),
        FromParam(param="goal"),
        FromState(node="l", counter=True),
    )
    node = loop("l", 50, task("l.t"))
    assert node.loop is not None
    until = Expression(text="$_0_ < $_1_ or $_2_ >= 6", operands=operands)
    dag = graph(params=(ParamSpec(name="goal", default_json="0.5"),)).dag
    ended = Task(
        id="l", call="", body=node.body, loop=Loop(start=node.loop.start, until=until, max_rounds=50)
    )

    def rounds_until(loss: float) -> int:
        seen = []

        def answer(event: Any) -> Any:
            seen.append(event["run"]["index"])
            return {"status": "success", "value": "1", "fields": {"loss": loss / len(seen)}}

        assert answered(Graph(dag=dag, tasks=(ended,)), answer).status == "SUCCEEDED"
        return len(seen)

    assert rounds_until(1.6) == 4
    assert rounds_until(100.0) == 7


def test_the_body_may_compute_with_the_state_and_the_number_of_its_round() -> None:
    operands = (FromState(node="l", path=("n",)), FromState(node="l", counter=True))
    inner = task("l.t", arguments=(("x", Expression(text="$_0_ * 10 + $_1_", operands=operands)),))
    until = Expression(text="$_0_ > 3", operands=(FromState(node="l", path=("n",)),))
    body = Body(graph=Graph(dag=graph().dag, tasks=(inner,)), result=FromTask(task="l.t"))
    node = Task(
        id="l", call="", body=body, loop=Loop(start=Literal(json='{"n":1}'), until=until, max_rounds=9)
    )
    seen = []

    def answer(event: Any) -> Any:
        seen.append(event["values"][0])
        return {"status": "success", "value": "1", "fields": {"n": len(seen) + 1}}

    assert answered(graph(node), answer).status == "SUCCEEDED"
    assert seen == [10, 21, 32]


def test_a_state_of_several_tasks_is_put_together() -> None:
    body = Body(
        graph=Graph(dag=graph().dag, tasks=(task("l.a"), task("l.b"))),
        result=DictOf(items=(("a", FromTask(task="l.a", path=("x",))), ("b", FromTask(task="l.b")))),
    )
    until = Expression(
        text="$_0_ + $_1_ > 5",
        operands=(FromState(node="l", path=("a",)), FromState(node="l", path=("b", "y"))),
    )
    node = Task(id="l", call="", body=body, loop=Loop(start=Literal(json="{}"), until=until, max_rounds=9))
    seen = []

    def answer(event: Any) -> Any:
        seen.append((event["task"], event["run"]["index"]))
        key = {"l.a": "x", "l.b": "y"}[event["task"]]
        assert json.loads(event["fields"]) == [[key]]
        return {"status": "success", "value": "1", "fields": {key: int(event["run"]["index"]) + 1}}

    assert answered(graph(node), answer).status == "SUCCEEDED"
    assert len(seen) == 6


def test_gates_inside_a_round_are_those_of_the_round() -> None:
    inner = (
        task("l.a"),
        task("l.b"),
        task("l.c", "l.a", "l.b"),
        task("l.d", "l.b"),
        task("l.e", "l.c", "l.d"),
    )
    world, fields = rounds("l", "l.e", 3)
    ran = run(graph(loop("l", 5, *inner)), World(rounds=world.rounds, seconds={"l.a": 4.0}), fields)
    assert [ran.seen.started["l.c", (number,)] for number in range(3)] == [4.0, 10.0, 16.0]


def test_loops_inside_maps_and_maps_inside_loops() -> None:
    inner = loop("g.l", 5, task("g.l.t"))
    world = World(rounds={("g.l", (number,)): number + 1 for number in range(3)})
    fields = {("g.l.t", (item, item)): {"done": True} for item in range(3)}
    ran = run(graph(group("g", written(3), inner)), world, fields)
    assert sum(name == "g.l.t" for name, _ in calls(ran)) == 1 + 2 + 3

    world, fields = rounds("l", "l.end", 2)
    inside = group("l.g", written(3), task("l.g.t"))
    ran = run(graph(loop("l", 5, inside, task("l.end", "l.g"))), world, fields)
    assert {place for place in calls(ran) if place[0] == "l.g.t"} == {
        ("l.g.t", (number, item)) for number in range(2) for item in range(3)
    }


def test_a_loop_goes_on_in_another_execution_before_a_history_is_full() -> None:
    world, fields = rounds("l", "l.t", 1500)
    ran = run(graph(task("a"), loop("l", 2000, task("l.t"), upstream=["a"]), task("z", "l")), world, fields)
    assert sum(name == "l.t" for name, _ in calls(ran)) == 1500
    assert ran.seen.states.count("l") == 3
    assert list(ran.compiled.machines.definitions) == ["", "loop_1"]
    assert ran.compiled.report.history_events <= 25_000


@pytest.mark.parametrize("exhausted, status", [("continue", "SUCCEEDED"), ("fail", "FAILED")])
def test_rounds_in_other_executions_end_as_others_do(exhausted: str, status: str) -> None:
    ran = run(graph(loop("l", 40, *LONG, exhausted=exhausted), task("z", "l")))
    assert len(ran.compiled.machines.definitions) == 2
    assert sum(name == "l.t" for name, _ in calls(ran)) == 40
    assert ran.execution.status == status
    world = World(scripts={("l.t", (30,)): ("PermanentError",)})
    ran = run(graph(loop("l", 40, *LONG, exhausted=exhausted)), world)
    assert sum(name == "l.t" for name, _ in calls(ran)) == 31
    assert ran.execution.status == "FAILED"


def test_rounds_in_other_executions_read_what_is_outside() -> None:
    above = Expression(text="$_0_ + 1", operands=(FromTask(task="a", path=("n",)),))
    *before, last = LONG
    reader = replace(last, arguments=(("x", above),))
    seen = []

    def answer(event: Any) -> Any:
        if event["task"] in ("a", "l.t"):
            seen.append(event.get("values"))
        return {"status": "success", "value": "1", "fields": {"n": 3, "done": len(seen) > 30}}

    wanted = graph(task("a", fields=(("n",),)), loop("l", 40, *before, reader, upstream=["a"]))
    assert len(compile_graph(wanted).machines.definitions) == 2
    assert answered(wanted, answer).status == "SUCCEEDED"
    assert seen == [None, *[[4]] * 30]


def test_where_the_first_failure_ends_the_run_a_loop_without_rounds_left_ends_it() -> None:
    wanted = graph(loop("l", 3, task("l.t"), exhausted="fail"), fail_fast=True)

    def answer(event: Any) -> Any:
        return {"status": "success", "value": "1", "fields": {"done": False}}

    execution = answered(wanted, answer)
    assert (execution.status, execution.error) == ("FAILED", "LoopExhausted")

    def refuse(event: Any) -> Any:
        raise FunctionError("DataError", "{}")

    assert answered(wanted, refuse).error == "DataError"
