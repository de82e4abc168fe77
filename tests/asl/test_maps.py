"""Mapped nodes: which states they are, what they cost, and what they come to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from stepweave.compiler import compile_graph
from stepweave.engine.failures import FunctionError
from stepweave.graph.constructs import Condition, Expansion, Guard
from stepweave.graph.model import (
    Expression,
    FromItem,
    FromParam,
    FromTask,
    Graph,
    Literal,
    ParamSpec,
    Resources,
    RetryPolicy,
    Task,
)
from stepweave.validation.definition import validate
from tests.asl.scoped import answered, calls, graph, group, item, mapped, over, run, task, written
from tests.reference.worlds import World


def states_of(wanted: Graph) -> dict[str, Any]:
    states: dict[str, Any] = compile_graph(wanted).machines.definitions[""]["States"]
    return states


def at_run_time(count: int | None, **options: Any) -> tuple[Graph, World]:
    """A task that is mapped over a list of ``count`` items that another one makes."""
    wanted = graph(task("a"), mapped("m", "a", **options), task("b", "m"))
    return wanted, World(items={("m", ()): count})


def test_an_item_of_a_task_costs_one_transition_and_the_map_two() -> None:
    ran = run(graph(task("a"), mapped("m", written(5)), task("b", "m")))
    assert ran.compiled.report.transitions == len(ran.seen.states)
    assert [name for name in ran.seen.states if name.startswith("m")] == ["m", *["m: item"] * 5, "m: verdict"]


def test_a_list_that_only_the_run_knows_costs_two_more() -> None:
    ran = run(*at_run_time(3))
    assert [name for name in ran.seen.states if name.startswith("m")] == [
        *("m: items", "m: size?", "m", *["m: item"] * 3, "m: verdict")
    ]
    assert ran.compiled.report.transitions == len(ran.seen.states) - 2  # the plan counts one item


def test_items_run_side_by_side_each_with_its_index() -> None:
    ran = run(*at_run_time(4))
    assert {place: ran.seen.started[place] for place in calls(ran) if place[0] == "m"} == {
        ("m", (number,)): 1.0 for number in range(4)
    }


def test_many_items_are_executions_of_their_own() -> None:
    ran = run(*at_run_time(41))
    assert "m (d)" in ran.seen.states
    assert "m" not in ran.seen.states
    assert sum(name == "m" for name, _ in calls(ran)) == 41


def test_a_map_of_limited_concurrency_has_room_for_more_items() -> None:
    ran = run(*at_run_time(200, max_concurrency=40))
    assert "m" in ran.seen.states
    assert "m (d)" in run(*at_run_time(201, max_concurrency=40)).seen.states
    assert "m (d)" in run(*at_run_time(60, max_concurrency=41)).seen.states


def limits(*tasks: Task) -> dict[str, int | None]:
    """How many items run at once, by the Map; None for as many as Step Functions starts."""
    found = states_of(graph(*tasks)).items()
    return {name: state.get("MaxConcurrency") for name, state in found if state["Type"] == "Map"}


def test_a_distributed_map_leaves_half_of_the_calls_that_lambda_takes_at_once() -> None:
    assert limits(task("a"), mapped("m", "a")) == {"m": None, "m (d)": 500}
    assert limits(mapped("m", written(60))) == {"m": 500}
    assert limits(task("a"), group("m", "a", task("x"))) == {"m": None, "m (d)": 500}


def test_a_distributed_map_runs_as_many_items_as_the_dag_says_and_all_jobs_that_may_be() -> None:
    assert limits(task("a"), mapped("m", "a", max_concurrency=3000)) == {"m": 3000, "m (d)": 3000}
    on_batch = replace(mapped("m", "a"), resources=Resources(gpu=1))
    assert limits(task("a"), on_batch) == {"m": None, "m (d)": None}


def test_a_long_list_written_in_the_dag_is_one_distributed_map() -> None:
    states = states_of(graph(mapped("m", written(60))))
    assert states["m"]["ItemProcessor"]["ProcessorConfig"] == {
        "Mode": "DISTRIBUTED",
        "ExecutionType": "STANDARD",
    }
    assert states["m"]["Items"] == "{% [0..59] %}"
    assert sum(name == "m" for name, _ in calls(run(graph(mapped("m", written(60)))))) == 60


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one(count: int) -> None:
    ran = run(*at_run_time(count))
    assert ran.execution.status == "SUCCEEDED"
    assert ("b", ()) in calls(ran) if count else ("b", ()) not in calls(ran)


def test_a_list_written_in_the_dag_may_be_empty() -> None:
    ran = run(graph(mapped("m", written(0)), task("b", "m"), task("c", "m", trigger_rule="all_done")))
    assert set(calls(ran)) == {("c", ())}


@pytest.mark.parametrize(
    "options, failed, status",
    [
        ({}, 1, "FAILED"),
        ({"tolerated_count": 1}, 1, "SUCCEEDED"),
        ({"tolerated_count": 1}, 2, "FAILED"),
        ({"tolerated_percent": 40.0}, 4, "SUCCEEDED"),
        ({"tolerated_percent": 39.9}, 4, "FAILED"),
        ({"tolerated_percent": 10.0, "tolerated_count": 4}, 4, "SUCCEEDED"),
    ],
)
@pytest.mark.parametrize("batch", [None, 3])
def test_so_many_items_may_fail(options: dict[str, Any], failed: int, status: str, batch: int | None) -> None:
    wanted = graph(task("a"), mapped("m", "a", batch_size=batch, **options), task("b", "m"))
    scripts = {("m", (number,)): ("DataError",) for number in range(failed)}
    assert run(wanted, World(items={("m", ()): 10}, scripts=scripts)).execution.status == status


def test_a_node_all_of_whose_items_were_skipped_is_skipped() -> None:
    wanted, world = at_run_time(2)
    ran = run(wanted, World(items=world.items, scripts={("m", (0,)): ("Skip",), ("m", (1,)): ("Skip",)}))
    assert ran.execution.status == "SUCCEEDED"
    assert ("b", ()) not in calls(ran)


def test_an_item_is_tried_again_as_its_task_says() -> None:
    wanted = graph(Task(id="m", call="flows:m", expansion=over(written(3)), retry=RetryPolicy(attempts=2)))
    ran = run(wanted, World(scripts={("m", (1,)): ("TransientError", "TransientError", "success")}))
    assert calls(ran) == {("m", (0,)): 1, ("m", (1,)): 3, ("m", (2,)): 1}
    assert ran.seen.states.count("m: item") == 3


@pytest.mark.parametrize("count, status", [(5, "SUCCEEDED"), (6, "FAILED")])
def test_a_batch_that_is_lost_counts_with_each_of_its_items(count: int, status: str) -> None:
    wanted = graph(mapped("m", written(count), batch_size=3, tolerated_count=2))

    def answer(event: Any) -> Any:
        if event["run"]["index"] == "1":
            raise FunctionError("Runtime.ExitError", "killed")
        return {"status": "success", "items": "sss"}

    assert answered(wanted, answer).status == status


def test_batches_are_tried_again_for_the_items_that_ask_for_it() -> None:
    retry = RetryPolicy(attempts=2)
    wanted = graph(Task(id="m", call="flows:m", expansion=over(written(4), batch_size=2), retry=retry))
    payload = states_of(wanted)["m"]["ItemProcessor"]["States"]["m: item"]["Arguments"]["Payload"]
    assert payload["batch"] == 2
    assert payload["tries"] == {"TransientError": 2, "ResourceError": 2}


def test_every_call_of_a_group_runs_per_item_and_in_its_order() -> None:
    inner = (task("g.a"), task("g.b", "g.a"), task("g.c", "g.b"))
    ran = run(graph(group("g", written(2), *inner), task("z", "g")), World(seconds={"g.a": 5.0}))
    assert ran.seen.started["g.c", (1,)] == 6.0
    assert ran.seen.started["z", ()] == 7.0
    assert ran.compiled.report.transitions == len(ran.seen.states)


def test_a_group_costs_one_transition_per_item_and_its_tasks() -> None:
    ran = run(graph(group("g", written(3), task("g.a"), task("g.b", "g.a")), task("z", "g")))
    assert sorted(name for name in ran.seen.states if name.startswith("g")) == sorted(
        ["g", "g: verdict", *["g: begin", "g.a", "g.b"] * 3]
    )


def test_an_item_fails_alone() -> None:
    wanted = graph(group("g", written(3), task("g.a"), task("g.b", "g.a"), tolerated_count=1), task("z", "g"))
    ran = run(wanted, World(scripts={("g.a", (1,)): ("PermanentError",)}))
    assert ran.execution.status == "SUCCEEDED"
    assert ("g.b", (1,)) not in calls(ran)
    assert {("g.b", (0,)), ("g.b", (2,)), ("z", ())} <= calls(ran).keys()


def test_a_reader_is_told_which_items_do_not_count_although_they_have_a_value() -> None:
    """The result of the group is that of ``g.b``; ``g.a`` fails beside it, and is tolerated."""
    told: list[Any] = []

    def answer(event: Any) -> Any:
        if event["task"] == "g.a" and event["run"]["index"] in ("1", "3"):
            raise FunctionError("DataError", "{}")
        if event["task"] in "xyz":
            told.append(event.get("lost"))
        return {"status": "success", "value": "1"}

    inner = (task("g.a"), task("g.b"))
    some = graph(group("g", written(5), *inner, tolerated_count=2), task("x", "g"))
    assert answered(some, answer).status == "SUCCEEDED"
    deep = graph(
        task("a"), group("g", written(2), *inner, tolerated_count=2, upstream=["a"]), task("y", "g", "a")
    )
    assert answered(deep, answer).status == "SUCCEEDED"
    strict = graph(group("g", written(1), *inner), task("z", "g"))
    assert answered(strict, answer).status == "SUCCEEDED"
    assert told == [{"g": [1, 3]}, {"g": [1]}, None]


def test_branches_and_gates_inside_a_group_are_those_of_one_item() -> None:
    """The shape of an N, which needs a gate; each item waits at its own."""
    inner = (task("g.a"), task("g.b"), task("g.c", "g.a", "g.b"), task("g.d", "g.b"))
    ran = run(graph(group("g", written(3), *inner)), World(seconds={"g.a": 3.0}))
    assert any(name.endswith(": wait") for name in ran.seen.states)
    assert [ran.seen.started["g.c", (number,)] for number in range(3)] == [3.0] * 3


def test_maps_inside_maps() -> None:
    inner = mapped("g.m", item("g"))
    wanted = graph(group("g", written(3), inner, task("g.b", "g.m")), task("z", "g"))
    ran = run(wanted, World(items={("g.m", (number,)): number for number in range(3)}))
    assert {place for place in calls(ran) if place[0] == "g.m"} == {
        ("g.m", (1, 0)),
        ("g.m", (2, 0)),
        ("g.m", (2, 1)),
    }
    assert ("g.b", (0,)) not in calls(ran)


def test_many_items_with_maps_inside_have_names_of_their_own() -> None:
    wanted = graph(task("a"), group("g", "a", mapped("g.m", item("g"))))
    items = {("g", ()): 50} | {("g.m", (number,)): 41 if number == 7 else 1 for number in range(50)}
    ran = run(wanted, World(items=items))
    assert {"g (d)", "g.m (d)", "g.m (d1) (d)"} <= set(ran.seen.states)
    assert len(calls(ran)) == 1 + 49 + 41


def test_an_item_reads_fields_of_outer_tasks_and_params() -> None:
    above = Expression(text="$_0_ + $_1_", operands=(FromTask(task="a", path=("n",)), FromParam(param="p")))
    inner = task("g.t", arguments=(("sum", above),))
    wanted = Graph(
        dag=graph(params=(ParamSpec(name="p", default_json="4"),)).dag,
        tasks=(task("a", fields=(("n",),)), group("g", written(2), inner, upstream=["a"])),
    )
    seen: list[Any] = []

    def answer(event: Any) -> Any:
        seen.append(event.get("values"))
        return {"status": "success", "value": "{}", "fields": {"n": 3}}

    assert answered(wanted, answer).status == "SUCCEEDED"
    assert seen == [None, [7], [7]]


def test_arguments_computed_once_are_handed_to_every_item() -> None:
    above = Expression(text="$_0_ * 2", operands=(FromTask(task="a", path=("n",)),))
    node = Task(
        id="m", call="flows:m", upstream=("a",), arguments=(("k", above),), expansion=over(written(2))
    )
    seen: list[Any] = []

    def answer(event: Any) -> Any:
        seen.append(event.get("values"))
        return {"status": "success", "value": "{}", "fields": {"n": 3}}

    assert answered(graph(task("a", fields=(("n",),)), node), answer).status == "SUCCEEDED"
    assert seen == [None, [6], [6]]


KIND = Expression(text="$_0_ = 'big'", operands=(FromItem(node="g", name="item", path=("kind",)),))
BY_KIND = (
    Task(id="g.if", call="", condition=Condition(cases=(("if", KIND),))),
    task("g.big", guards=(Guard(decider="g.if", cases=("if",), block=True),)),
    task("g.small", guards=(Guard(decider="g.if", cases=("else",), block=True),)),
)


def test_a_condition_inside_reads_an_item_of_a_list_written_in_the_dag() -> None:
    items = Literal(json=json.dumps([{"kind": "big"}, {"kind": "small"}, {}]))
    seen: list[Any] = []

    def answer(event: Any) -> Any:
        seen.append((event["task"], event["run"]["index"]))
        return {"status": "success", "value": "1"}

    assert answered(graph(group("g", items, *BY_KIND)), answer).status == "SUCCEEDED"
    assert sorted(seen) == [("g.big", "0"), ("g.small", "1"), ("g.small", "2")]


@pytest.mark.parametrize("count", [3, 60])
def test_a_condition_inside_reads_an_item_that_only_the_run_knows(count: int) -> None:
    seen: list[Any] = []

    def answer(event: Any) -> Any:
        if "items" in event:
            assert event["items"]["fields"] == '[["item","kind"]]'
            kinds = [{"item.kind": "big"}, *[{"item.kind": "small"}] * (count - 1)]
            return {"status": "success", "n": count, "b": count, "fields": kinds}
        seen.append((event["task"], event["run"].get("index")))
        return {"status": "success", "value": "1"}

    assert answered(graph(task("a"), group("g", "a", *BY_KIND)), answer).status == "SUCCEEDED"
    assert seen[0] == ("a", None)
    assert sorted(seen[1:]) == sorted([("g.big", "0"), *(("g.small", str(n)) for n in range(1, count))])


def test_literal_text_that_looks_like_a_variable_stays_text() -> None:
    shown = Expression(text="'$run ' & $_0_", operands=(FromTask(task="a", path=("n",)),))
    wanted = graph(
        task("a", fields=(("n",),)),
        group("g", written(1), task("g.t", arguments=(("x", shown),)), upstream=["a"]),
    )
    seen: list[Any] = []

    def answer(event: Any) -> Any:
        seen.append(event.get("values"))
        return {"status": "success", "value": "{}", "fields": {"n": 3}}

    answered(wanted, answer)
    assert seen == [None, ["$run 3"]]


def test_where_the_first_failure_ends_the_run_items_are_not_caught() -> None:
    states = states_of(graph(mapped("m", written(3)), fail_fast=True))
    item = states["m"]["ItemProcessor"]["States"]["m: item"]
    assert [catcher["ErrorEquals"] for catcher in (*states["m"]["Catch"], *item["Catch"])] == [
        ["Skip"],
        ["Skip"],
    ]


def test_where_the_first_failure_ends_the_run_a_tolerance_still_counts() -> None:
    wanted = graph(mapped("m", written(4), tolerated_count=1), task("b", "m"), fail_fast=True)
    for failed, status, error in ((1, "SUCCEEDED", None), (2, "FAILED", "TooManyFailedItems")):

        def answer(event: Any, failed: int = failed) -> Any:
            if event["task"] == "m" and int(event["run"]["index"]) < failed:
                raise FunctionError("DataError", "{}")
            return {"status": "success", "value": "1"}

        execution = answered(wanted, answer)
        assert (execution.status, execution.error) == (status, error)


def test_where_the_first_failure_ends_the_run_a_node_without_items_is_skipped() -> None:
    wanted = graph(task("a"), mapped("m", "a"), task("b", "m"), fail_fast=True)
    execution = answered(wanted, lambda event: {"status": "success", "n": 0, "b": 0})
    assert (execution.status, execution.error) == ("SUCCEEDED", None)


def test_keyword_arguments_of_dicts_that_a_task_makes() -> None:
    expansion = Expansion(how="kwargs", arguments=(("", FromTask(task="a")),))
    states = states_of(graph(task("a"), Task(id="m", call="flows:m", upstream=("a",), expansion=expansion)))
    assert json.loads(states["m: items"]["Arguments"]["Payload"]["args"]) == {"**": {"t": "a"}}
    inside = states["m"]["ItemProcessor"]["States"]["m: item"]["Arguments"]["Payload"]
    assert json.loads(inside["args"]) == {"**": {"kw": {"i": "m", "k": "", "d": 0}}}


def test_a_long_body_is_inline_for_fewer_items() -> None:
    inner = [task("g.t0"), *(task(f"g.t{i}", f"g.t{i - 1}") for i in range(1, 60))]
    wanted = graph(task("a"), group("g", "a", *inner))
    compiled = compile_graph(wanted)
    assert compiled.machines.repeats["g"].most < 12
    assert compiled.report.history_events <= 25_000


def test_the_same_source_gives_the_same_bytes() -> None:
    wanted = graph(task("a"), group("g", "a", mapped("g.m", item("g")), task("g.b", "g.m")), task("z", "g"))
    assert compile_graph(wanted).files == compile_graph(wanted).files


def test_a_map_inside_reads_parts_of_the_item_around_it() -> None:
    above = Expression(text="$_0_ * 10", operands=(FromItem(node="g", name="item", path=("n",)),))
    inner = Task(id="g.m", call="flows:g.m", arguments=(("k", above),), expansion=over(written(2)))
    deeper = group("g.h", written(1), task("g.h.t", arguments=(("k", above),)))
    items = Literal(json='[{"n":1},{"n":2}]')
    seen: list[Any] = []

    def answer(event: Any) -> Any:
        seen.append((event["task"], event["run"]["index"], event["values"]))
        return {"status": "success", "value": "1"}

    assert answered(graph(group("g", items, inner, deeper)), answer).status == "SUCCEEDED"
    assert sorted(seen) == [
        *(("g.h.t", f"{outer}/0", [10 * outer + 10]) for outer in range(2)),
        *(("g.m", f"{outer}/{number}", [10 * outer + 10]) for outer in range(2) for number in range(2)),
    ]


def test_the_longest_names_leave_room_for_those_that_are_made_of_them() -> None:
    name = "g" + "x" * 56 + ".y"
    retry = RetryPolicy(attempts=2)
    inner = Task(id=name, call="flows:t", expansion=over(item("g")), hedge_seconds=5, retry=retry)
    definition = compile_graph(graph(task("a"), group("g", "a", inner))).machines.definitions[""]
    assert validate(definition) == ()
