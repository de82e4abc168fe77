"""What the reference model says in cases that one can follow by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stepweave.graph.constructs import (
    Body,
    Condition,
    Decision,
    Expansion,
    Guard,
    Loop,
    Rung,
    Sensor,
    Speculation,
)
from stepweave.graph.model import (
    DagInfo,
    Expression,
    FromState,
    FromTask,
    Graph,
    Literal,
    Resources,
    RetryPolicy,
    Task,
)
from tests.graphs import graph_of
from tests.reference.model import predict
from tests.reference.order import leaves
from tests.reference.rules import Seen, decided_at, hopeless_at
from tests.reference.worlds import Place, World

TRUE = Expression(text="true", operands=())
NO_JITTER = RetryPolicy(attempts=2, delay_seconds=10, backoff=2.0, jitter=False)


def dag(*tasks: Task) -> Graph:
    return Graph(dag=DagInfo(id="dag"), tasks=tasks)


def task(name: str, *upstream: str, **options: object) -> Task:
    return Task(id=name, call=f"somewhere:{name}", upstream=upstream, **options)  # type: ignore[arg-type]


def failing(*names: str) -> dict[Place, tuple[str, ...]]:
    return {(name, ()): ("PermanentError",) for name in names}


def mapped(name: str, count: int, *inner: Task, **options: object) -> Task:
    expansion = Expansion(
        how="product",
        arguments=(("x", Literal(json=str(list(range(count))))),),
        **options,  # type: ignore[arg-type]
    )
    return task(name, expansion=expansion, body=Body(graph=dag(*inner)) if inner else None)


def test_a_chain_takes_the_sum_of_its_tasks() -> None:
    told = predict(graph_of({"a": [], "b": ["a"]}), World(seconds={"a": 3.0}))
    assert (told.happened["b", ()].started, told.ended, told.outcome) == (3.0, 4.0, "success")


def test_what_comes_after_a_failure_is_upstream_failed_and_a_clean_up_runs() -> None:
    told = predict(graph_of({"a": [], "b": ["a"], "c": ["b"]}, {"c": "all_done"}), World(failing("a")))
    assert told.statuses == {("a", ()): "failed", ("b", ()): "upstream_failed", ("c", ()): "success"}
    assert (told.outcome, told.failed, set(told.invoked)) == ("success", ("a",), {("a", ()), ("c", ())})


def test_rules_that_want_one_start_as_soon_as_there_is_one() -> None:
    graph = graph_of({"fast": [], "slow": [], "first": ["fast", "slow"]}, {"first": "one_success"})
    assert predict(graph, World(seconds={"slow": 100.0})).happened["first", ()].started == 1.0
    told = predict(graph, World(failing("fast"), seconds={"slow": 100.0}))
    assert told.happened["first", ()].started == 100.0


def test_always_waits_for_nothing() -> None:
    told = predict(graph_of({"a": [], "b": ["a"]}, {"b": "always"}), World(failing("a")))
    assert (told.happened["b", ()].started, told.outcome) == (0.0, "success")


@pytest.mark.parametrize(
    "rule, ended, certain",
    [
        ("all_success", ["failed", "success"], 1.0),
        ("all_success", ["skipped", "failed"], 1.0),
        ("none_failed", ["skipped", "failed"], 2.0),
        ("one_success", ["failed", "skipped"], 2.0),
        ("all_failed", ["success", "failed"], 1.0),
        ("one_failed", ["success", "skipped"], 2.0),
        ("none_failed_min_one_success", ["skipped", "skipped"], 2.0),
    ],
)
def test_it_is_certain_that_a_task_will_not_run_once_no_end_of_the_others_helps(
    rule: str, ended: list[str], certain: float
) -> None:
    seen = [Seen(status, at) for at, status in enumerate(ended, 1)]  # type: ignore[arg-type]
    assert hopeless_at(rule, seen) == certain
    assert decided_at(rule, seen) == 2.0


def test_what_follows_a_task_that_will_not_run_starts_when_that_is_certain_or_when_all_has_ended() -> None:
    spec = {"slow": [], "fails": [], "never": ["slow", "fails"], "after": ["never"]}
    graph = graph_of(spec, {"after": "all_done"})
    world = World(failing("fails"), seconds={"slow": 100.0})
    assert predict(graph, world, prompt=True).happened["after", ()].started == 1.0
    assert predict(graph, world).happened["after", ()].started == 100.0


def test_an_if_skips_what_it_did_not_choose_whatever_its_trigger_rule() -> None:
    graph = dag(
        task("if", condition=Condition(cases=(("if", TRUE),))),
        task("yes", guards=(Guard(decider="if", cases=("if",), block=True),)),
        task("no", guards=(Guard(decider="if", cases=("else",), block=True),), trigger_rule="all_done"),
        task("join", "yes", "no", trigger_rule="none_failed_min_one_success"),
    )
    told = predict(graph, World(choices={("if", ()): ("if",)}))
    assert [told.happened[name, ()].status for name in ("if", "yes", "no", "join")] == [
        "success", "success", "skipped", "success",
    ]  # fmt: skip
    assert set(told.invoked) == {("yes", ()), ("join", ())}


def test_a_block_does_not_run_when_its_condition_was_never_evaluated() -> None:
    graph = dag(
        task("a"),
        task("if", "a", condition=Condition(cases=(("if", TRUE),))),
        task("in", guards=(Guard(decider="if", cases=("if",), block=True),), trigger_rule="all_done"),
    )
    assert predict(graph, World(failing("a"))).happened["in", ()].status == "upstream_failed"
    assert predict(graph, World({("a", ()): ("Skip",)})).happened["in", ()].status == "skipped"


def test_a_branch_that_failed_leaves_the_decision_to_the_trigger_rule() -> None:
    branch = task("branch", decides=Decision(kind="branch", cases=("x", "y")))
    guards = tuple(Guard(decider="branch", cases=(case,)) for case in ("x", "y"))
    graph = dag(
        branch,
        task("x", "branch", guards=guards[:1]),
        task("y", "branch", guards=guards[1:], trigger_rule="all_done"),
    )
    told = predict(graph, World(failing("branch")))
    assert [told.happened[name, ()].status for name in "xy"] == ["upstream_failed", "success"]
    told = predict(graph, World(choices={("branch", ()): ("x",)}))
    assert [told.happened[name, ()].status for name in "xy"] == ["success", "skipped"]


def test_retries_wait_longer_each_time_and_only_for_their_errors() -> None:
    graph = dag(task("a", retry=NO_JITTER))
    once = predict(graph, World({("a", ()): ("TransientError", "success")})).happened["a", ()]
    assert (once.status, once.ended, once.attempts) == ("success", 12.0, 2)
    never = predict(graph, World({("a", ()): ("TransientError",)})).happened["a", ()]
    assert (never.status, never.ended, never.attempts) == ("failed", 33.0, 3)
    assert predict(graph, World({("a", ()): ("DataError",)})).happened["a", ()].attempts == 1


def test_a_task_that_asks_to_be_put_off_is_tried_again_at_the_time_it_names() -> None:
    graph = dag(task("a", retry=NO_JITTER))
    asked = predict(graph, World({("a", ()): ("RetryAfter:50", "success")})).happened["a", ()]
    assert (asked.status, asked.ended, asked.attempts) == ("success", 52.0, 2)
    ever = predict(graph, World({("a", ()): ("RetryAfter:50",)})).happened["a", ()]
    assert (ever.status, ever.ended, ever.attempts) == ("failed", 2 * 51.0 + 33.0, 5)
    never = predict(dag(task("a")), World({("a", ()): ("RetryAfter:50",)})).happened["a", ()]
    assert (never.status, never.attempts) == ("failed", 1)


def test_a_ladder_is_climbed_after_a_failure_and_its_first_rungs_only_for_lack_of_memory() -> None:
    bigger = Rung(call="m:f", resources=Resources(memory_mib=4096), on="resource")
    lesser = Rung(call="m:g", resources=Resources())
    graph = dag(task("a", ladder=(bigger, lesser)))

    def ended(*endings: str) -> tuple[str, int]:
        calls = ("a", "a@1", "a@2")
        scripts: dict[Place, tuple[str, ...]] = {
            (name, ()): (ending,) for name, ending in zip(calls, endings, strict=False)
        }
        one = predict(graph, World(scripts)).happened["a", ()]
        return one.status, one.attempts

    assert ended("DataError") == ("success", 2)
    assert ended("DataError", "DataError") == ("success", 2)
    assert ended("ResourceError") == ("success", 2)
    assert ended("ResourceError", "ResourceError") == ("success", 3)
    assert ended("ResourceError", "ResourceError", "DataError") == ("failed", 3)
    assert ended("Skip") == ("skipped", 1)


def test_the_first_of_several_attempts_to_succeed_counts() -> None:
    graph = dag(task("a", hedge_seconds=5))
    seconds = {"a": 7.5}
    fast = predict(graph, World(seconds={"a": 4.5})).happened["a", ()]
    assert (fast.ended, fast.attempts) == (4.5, 1)
    slow = predict(graph, World(seconds=seconds)).happened["a", ()]
    assert (slow.ended, slow.attempts) == (7.5, 2)
    second = predict(graph, World({("a", ()): ("DataError", "success")}, seconds)).happened["a", ()]
    assert (second.status, second.ended, second.attempts) == ("success", 12.5, 2)


def test_enough_replicas_must_answer_the_same() -> None:
    graph = dag(task("a", replicas=3, quorum=2))
    assert predict(graph, World(votes={("a", ()): "aba"})).happened["a", ()].status == "success"
    assert predict(graph, World(votes={("a", ()): "abc"})).happened["a", ()].status == "failed"
    broken = World({("a@1", ()): ("DataError",)}, votes={("a", ()): "aba"})
    assert predict(graph, broken).happened["a", ()].status == "failed"


def test_an_optional_task_that_fails_counts_as_skipped() -> None:
    told = predict(dag(task("a", optional=True), task("b", "a")), World(failing("a")))
    assert (told.happened["b", ()].status, told.outcome, told.failed) == ("skipped", "success", ())


def test_a_mapped_node_is_skipped_without_items_and_fails_beyond_its_tolerance() -> None:
    assert predict(dag(mapped("m", 0)), World()).happened["m", ()].status == "skipped"
    world = World({("m", (1,)): ("PermanentError",)})
    assert predict(dag(mapped("m", 3)), world).happened["m", ()].status == "failed"
    assert predict(dag(mapped("m", 3, tolerated_count=1)), world).happened["m", ()].status == "success"
    assert predict(dag(mapped("m", 3, tolerated_percent=34.0)), world).happened["m", ()].status == "success"
    assert predict(dag(mapped("m", 3, tolerated_percent=33.0)), world).happened["m", ()].status == "failed"


def test_items_wait_for_a_free_place_and_those_of_a_batch_for_each_other() -> None:
    limited = predict(dag(mapped("m", 5, max_concurrency=2)), World()).happened
    assert [limited["m", (item,)].started for item in range(5)] == [0.0, 0.0, 1.0, 1.0, 2.0]
    batched = predict(dag(mapped("m", 5, batch_size=2)), World()).happened
    assert [batched["m", (item,)].started for item in range(5)] == [0.0, 1.0, 0.0, 1.0, 0.0]


def test_each_item_of_a_group_is_a_small_run() -> None:
    graph = dag(mapped("g", 2, task("g.a"), task("g.b", "g.a")), task("after", "g"))
    told = predict(graph, World({("g.a", (1,)): ("PermanentError",)}))
    assert told.statuses["g.b", (1,)] == "upstream_failed"
    assert (told.statuses["g", (0,)], told.statuses["g", (1,)]) == ("success", "failed")
    assert (told.statuses["g", ()], told.statuses["after", ()]) == ("failed", "upstream_failed")


def test_a_loop_goes_round_until_its_condition_holds_or_a_round_does_not_succeed() -> None:
    loop = Loop(
        start=Literal(json="0"),
        until=Expression(text="$_0_ = 1", operands=(FromState(node="l"),)),
        max_rounds=4,
    )
    node = task("l", loop=loop, body=Body(graph=dag(task("l.a")), result=FromTask(task="l.a")))
    held = predict(dag(node), World(rounds={("l", ()): 2})).happened
    assert (held["l", ()].count, held["l", ()].ended, held["l.a", (1,)].started) == (2, 2.0, 1.0)
    assert predict(dag(node), World()).happened["l", ()].count == 4
    skipped = predict(dag(node), World({("l.a", (1,)): ("Skip",)})).happened["l", ()]
    assert (skipped.status, skipped.count) == ("skipped", 2)
    fails = replace(node, loop=replace(loop, exhausted="fail"))
    assert predict(dag(fails), World()).happened["l", ()].status == "failed"
    assert predict(dag(fails), World(rounds={("l", ()): 4})).happened["l", ()].status == "success"


def test_a_sensor_pokes_until_there_is_an_answer_or_no_more_time() -> None:
    sensor = Sensor(interval_seconds=10, timeout_seconds=30)
    world = World({("s", ()): ("NotYet", "NotYet", "success")})
    found = predict(dag(task("s", sensor=sensor)), world).happened["s", ()]
    assert (found.status, found.ended, found.attempts) == ("success", 23.0, 3)
    never = World({("s", ()): ("NotYet",)})
    assert predict(dag(task("s", sensor=sensor)), never).happened["s", ()].status == "failed"
    soft = predict(dag(task("s", sensor=replace(sensor, soft_fail=True))), never).happened["s", ()]
    assert soft.status == "skipped"


def test_what_was_begun_on_suspicion_counts_only_if_its_case_is_chosen() -> None:
    graph = dag(
        task("if", "a", condition=Condition(cases=(("if", TRUE),))),
        task("a"),
        task(
            "likely",
            body=Body(graph=dag(task("likely.x"))),
            speculation=Speculation(decider="if", cases=("if",)),
        ),
        task("after", "likely"),
    )
    taken = predict(graph, World(choices={("if", ()): ("if",)}, seconds={"a": 9.0}))
    assert (taken.happened["likely.x", ()].started, taken.happened["after", ()].started) == (0.0, 9.0)
    not_taken = predict(graph, World(choices={("if", ()): ("else",)}, seconds={"a": 9.0}))
    assert not_taken.happened["after", ()].status == "skipped"
    assert set(not_taken.invoked) == {("a", ())}
    assert not_taken.dropped == {("likely.x", ())}


def test_the_tasks_that_decide_the_outcome_have_only_tear_downs_after_them() -> None:
    graph = dag(task("a"), task("b", "a"), task("down", "b", "a", teardown=True))
    assert leaves(graph) == ("b",)
    assert leaves(dag(task("down", teardown=True))) == ("down",)


def test_once_too_many_tasks_have_failed_nothing_begins_but_tear_downs() -> None:
    down = task("down", "b", teardown=True, trigger_rule="all_done")
    graph = dag(task("a"), task("b"), task("c", "b"), task("late", "c"), down)
    graph = replace(graph, dag=replace(graph.dag, max_failed_tasks=0))
    told = predict(graph, World(failing("a"), seconds={"a": 1.5}))
    assert told.statuses == {
        ("a", ()): "failed", ("b", ()): "success", ("c", ()): "success", ("late", ()): "upstream_failed",
        ("down", ()): "success",
    }  # fmt: skip
    assert told.outcome == "failed"
    assert (
        predict(replace(graph, dag=replace(graph.dag, max_failed_tasks=1)), World(failing("a"))).ended == 3.0
    )


def test_a_dag_that_fails_fast_ends_with_its_first_failure() -> None:
    graph = graph_of({"a": [], "b": [], "c": ["b"]}, fail_fast=True)
    assert predict(graph, World(failing("a"), seconds={"a": 5.0})).stopped == 5.0


def test_what_can_be_undone_is_undone_when_the_run_fails_the_last_first() -> None:
    group = mapped("g", 2, task("g.x", compensate="m:undo"))
    graph = dag(task("a", compensate="m:undo"), replace(group, upstream=("a",)), task("b", "g"))
    assert predict(graph, World(failing("b"))).undone == ("g.x", "a")
    assert predict(graph, World()).undone == ()
