"""What a task waits for along the branches of its machine."""

from __future__ import annotations

from stepweave.graph.constructs import Guard
from stepweave.graph.model import DagInfo, Graph, Task
from stepweave.planning.model import Await, Signal, walk
from stepweave.planning.plan import to_plan
from stepweave.planning.waiting import waits_for


def task(name: str, *upstream: str, rule: str = "all_success", guards: tuple[Guard, ...] = ()) -> Task:
    return Task(id=name, call="m:f", upstream=upstream, trigger_rule=rule, guards=guards)


def graph(*tasks: Task) -> Graph:
    return Graph(dag=DagInfo(id="dag"), tasks=tasks)


def test_a_rule_that_one_task_decides_waits_for_what_all_of_them_wait_for() -> None:
    drawn = graph(
        task("a"), task("b", "a"), task("c", "b"), task("d", "b"), task("e", "c", "d", rule="one_success")
    )
    assert set(waits_for(drawn)["e"]) == {"a", "b"}


def test_a_rule_that_one_task_decides_is_an_ordinary_one_when_there_is_only_one_task() -> None:
    assert waits_for(graph(task("a"), task("b", "a", rule="one_failed")))["b"] == ("a",)


def test_always_waits_for_nothing_but_its_deciders() -> None:
    guards = (Guard(decider="c", cases=("if",), block=True),)
    drawn = graph(task("a"), task("c"), task("b", "a", rule="always", guards=guards), task("d", "a"))
    assert waits_for(drawn)["b"] == ("c",)
    assert waits_for(drawn)["d"] == ("a",)


def test_a_task_that_one_other_decides_has_a_gate_that_all_of_them_tell() -> None:
    plan = to_plan(graph(task("a"), task("b"), task("c", "a", "b", rule="one_done"), task("d", "c")))
    (gate,) = (step for step in walk(plan) if isinstance(step, Await))
    assert (gate.early, gate.rule, gate.parents) == (("a", "b"), "one_done", ())
    told = [step.groups for step in walk(plan) if isinstance(step, Signal)]
    assert sorted(told) == [(("a",),), (("b",),)]
