"""Conditions in plans: one Choose where the cases follow, steps of their own where they do not."""

from __future__ import annotations

from stepweave.graph.constructs import Condition, Guard
from stepweave.graph.model import DagInfo, Expression, FromParam, Graph, ParamSpec, Task
from stepweave.planning.model import Choose, Parallel, Plan, Run, Sequence, walk
from stepweave.planning.partition import Cost, cut
from stepweave.planning.plan import to_plan

TEST = Expression(text="$_0_ > 0", operands=(FromParam(param="p"),))


def condition(name: str, *upstream: str, inside: tuple[Guard, ...] = ()) -> Task:
    return Task(
        id=name, call="", upstream=upstream, guards=inside, condition=Condition(cases=(("if", TEST),))
    )


def when(decider: str, case: str = "if") -> tuple[Guard, ...]:
    return (Guard(decider=decider, cases=(case,), block=True),)


def task(name: str, *upstream: str, guards: tuple[Guard, ...] = (), rule: str = "all_success") -> Task:
    return Task(id=name, call="m:f", upstream=upstream, guards=guards, trigger_rule=rule)


def plan_of(*tasks: Task) -> Plan:
    return to_plan(Graph(dag=DagInfo(id="dag", params=(ParamSpec(name="p", default_json="1"),)), tasks=tasks))


def test_if_and_else_are_the_cases_of_one_choose() -> None:
    plan = plan_of(
        task("a"),
        condition("c", "a"),
        task("yes", "a", guards=when("c")),
        task("no", "a", guards=when("c", "else")),
        task("join", "yes", "no", rule="none_failed_min_one_success"),
    )
    assert plan == Sequence((Run("a"), Choose("c", (("if", Run("yes")), ("else", Run("no")))), Run("join")))


def test_a_block_of_several_steps_is_one_case() -> None:
    plan = plan_of(
        condition("c"),
        task("a", guards=when("c")),
        task("b", "a", guards=when("c")),
        task("after", "b", rule="all_done"),
    )
    assert plan == Sequence((Choose("c", (("if", Sequence((Run("a"), Run("b")))),)), Run("after")))


def test_a_strict_task_after_a_block_alone_is_settled_with_it() -> None:
    plan = plan_of(
        condition("c"), task("a", guards=when("c")), task("b", guards=when("c", "else")), task("d", "a")
    )
    assert plan == Choose("c", (("if", Sequence((Run("a"), Run("d")))), ("else", Run("b"))))


def test_conditions_nest() -> None:
    plan = plan_of(
        condition("outer"),
        condition("inner", inside=when("outer")),
        task("a", guards=(*when("outer"), *when("inner"))),
        task("b", guards=(*when("outer"), *when("inner", "else"))),
    )
    assert plan == Choose("outer", (("if", Choose("inner", (("if", Run("a")), ("else", Run("b"))))),))


def test_a_block_that_waits_for_other_branches_asks_the_condition_task_by_task() -> None:
    plan = plan_of(
        task("x"),
        condition("c"),
        task("a", "x", guards=when("c")),
        task("b", guards=when("c", "else")),
        task("y", "x"),
    )
    assert Run("c") in list(walk(plan))
    assert not any(isinstance(step, Choose) for step in walk(plan))


def test_a_condition_too_large_for_one_machine_gives_its_heaviest_case_away() -> None:
    small, large = Run("a"), Parallel(tuple(Run(f"t{i}") for i in range(20)))
    limits = Cost(bytes=1_000, events=10_000, depth=10)
    result = cut(Choose("c", (("if", small), ("else", large))), lambda _: Cost(bytes=100, events=10), limits)
    assert isinstance(result, Choose)
    assert [case for case, _ in result.cases] == ["if", "else"]
    assert result.cases[0][1] == small
    assert "Nested" in repr(result.cases[1][1])
