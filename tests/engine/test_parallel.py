"""Parallel and Map: side by side, in order, failing together."""

import asyncio
from typing import Any

import pytest

from tests.engine.building import Lab, block, call, machine, passing, result_of, run


async def sleeping(event: Any) -> Any:
    await asyncio.sleep(event)
    return event


def parallel(*branches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Parallel", "Branches": list(branches), **fields}


def mapping(*states: tuple[str, dict[str, Any]], **fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": block(*states), **fields}


def test_branches_run_at_the_same_time_and_answer_in_order() -> None:
    branches = [block((f"s{seconds}", call("sleeping", seconds, Output=seconds))) for seconds in (30, 10, 20)]
    lab = Lab({"main": machine(("p", parallel(*branches)))}, {"sleeping": sleeping})
    assert lab.run().output == [30, 10, 20]
    assert lab.clock.elapsed == 30


def test_branches_get_the_arguments_or_the_input() -> None:
    branch = block(("in", passing()))
    assert result_of(machine(("p", parallel(branch))), 5) == [5]
    assert result_of(machine(("p", parallel(branch, Arguments={"x": "{% $states.input %}"}))), 5) == [
        {"x": 5}
    ]


def test_results_can_be_merged_into_one_object() -> None:
    branches = [block((name, passing(Output={name: number}))) for number, name in enumerate("abc")]
    assert result_of(machine(("p", parallel(*branches, Output="{% $merge($states.result) %}")))) == {
        "a": 0,
        "b": 1,
        "c": 2,
    }


def test_a_failing_branch_cancels_its_siblings() -> None:
    ended: list[str] = []

    async def watched(event: Any) -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            ended.append(event)
            raise

    branches = [
        block(
            ("fast", {"Type": "Wait", "Seconds": 5}),
            ("bad", {"Type": "Fail", "Error": "Bad", "Cause": "early"}),
        ),
        block(("slow", call("watched", "slow"))),
        block(("deep", parallel(block(("deeper", call("watched", "deep")))))),
    ]
    lab = Lab({"main": machine(("p", parallel(*branches)))}, {"watched": watched})
    execution = lab.run()
    assert (execution.error, execution.cause) == ("Bad", "early")
    assert lab.clock.elapsed == 5
    assert sorted(ended) == ["deep", "slow"]
    assert execution.history.kinds().count("TaskStateAborted") == 2


def test_the_error_of_a_branch_is_caught_around_it() -> None:
    branch = block(("bad", {"Type": "Fail", "Error": "Bad"}))
    catch = [{"ErrorEquals": ["Bad"], "Next": "after"}]
    definition = machine(
        ("p", parallel(branch, Catch=catch)), ("after", passing(Output="{% $states.input.Error %}"))
    )
    assert result_of(definition) == "Bad"


def test_the_first_branch_to_fail_gives_the_error() -> None:
    branches = [
        block(
            (f"w{seconds}", {"Type": "Wait", "Seconds": seconds}),
            (f"f{seconds}", {"Type": "Fail", "Error": f"E{seconds}"}),
        )
        for seconds in (3, 1, 2)
    ]
    assert run(machine(("p", parallel(*branches)))).error == "E1"


def test_ten_thousand_branches_run_side_by_side() -> None:
    branches = [
        block((f"b{number}", {"Type": "Wait", "Seconds": 1, "Output": 1})) for number in range(10_000)
    ]
    lab = Lab({"main": machine(("p", parallel(*branches, Output="{% $count($states.result) %}")))})
    execution = lab.run()
    assert (execution.output, len(execution.history)) == (10_000, 2 + 4 + 2 * 10_000)
    assert lab.clock.elapsed == 1


def test_parallels_nest_deeper_than_python_recurses() -> None:
    inner = block(("leaf", passing(Output="leaf")))
    for level in range(1500):
        inner = block((f"p{level}", parallel(inner, Output="{% $states.result[0] %}")))
    assert result_of({"QueryLanguage": "JSONata", **inner}) == "leaf"


def test_a_map_runs_its_states_for_every_item_and_answers_in_order() -> None:
    definition = machine(
        ("m", mapping(("double", passing(Output="{% $states.input * 2 %}")), Items="{% [1..5] %}"))
    )
    assert result_of(definition) == [2, 4, 6, 8, 10]


def test_a_map_takes_its_input_when_it_has_no_items() -> None:
    assert result_of(machine(("m", mapping(("same", passing())))), ["a", "b"]) == ["a", "b"]
    assert result_of(machine(("m", mapping(("same", passing())))), []) == []


def test_an_item_selector_reads_item_index_variables_and_input() -> None:
    selector = {
        "item": "{% $states.context.Map.Item.Value %}",
        "index": "{% $states.context.Map.Item.Index %}",
        "x": "{% $x %}",
        "input": "{% $states.input.k %}",
    }
    definition = machine(
        ("a", passing(Assign={"x": 7})),
        ("m", mapping(("same", passing()), Items=["a", "b"], ItemSelector=selector)),
    )
    expected = [{"item": item, "index": index, "x": 7, "input": 1} for index, item in enumerate("ab")]
    assert result_of(definition, {"k": 1}) == expected


def test_only_an_item_selector_knows_the_item() -> None:
    inner = ("in", passing(Output="{% $exists($states.context.Map) %}"))
    assert result_of(machine(("m", mapping(inner, Items=["a", "b"])))) == [False, False]


@pytest.mark.parametrize("limit,seconds", [(1, 60), (2, 30), ("{% $states.input %}", 20), (0, 10)])
def test_max_concurrency_limits_iterations_at_once(limit: Any, seconds: float) -> None:
    processor = mapping(("s", {"Type": "Wait", "Seconds": 10}), Items="{% [1..6] %}", MaxConcurrency=limit)
    lab = Lab({"main": machine(("m", processor))})
    lab.run(3)
    assert lab.clock.elapsed == seconds


def test_an_inline_map_runs_at_most_forty_iterations_at_once() -> None:
    lab = Lab(
        {"main": machine(("m", mapping(("s", {"Type": "Wait", "Seconds": 10}), Items="{% [1..41] %}")))}
    )
    lab.run()
    assert lab.clock.elapsed == 20


def test_a_failing_iteration_fails_the_map_and_stops_the_others() -> None:
    rules = [{"Condition": "{% $states.input = 2 %}", "Next": "bad"}]
    states = (
        ("which", {"Type": "Choice", "Choices": rules, "Default": "slow"}),
        ("bad", {"Type": "Fail", "Error": "Two"}),
        ("slow", {"Type": "Wait", "Seconds": 100}),
    )
    lab = Lab({"main": machine(("m", mapping(*states, Items=[1, 2, 3])))})
    execution = lab.run()
    assert execution.error == "Two"
    assert lab.clock.elapsed == 0
    kinds = execution.history.kinds()
    assert [kinds.count(f"MapIteration{end}") for end in ("Started", "Failed", "Aborted", "Succeeded")] == [
        3,
        1,
        2,
        0,
    ]


@pytest.mark.parametrize("items", ["{% {'a': 1} %}", "{% 3 %}"])
def test_items_must_be_an_array(items: str) -> None:
    assert (
        run(machine(("m", mapping(("same", passing()), Items=items)))).error == "States.QueryEvaluationError"
    )
