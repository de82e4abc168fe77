"""Mock files: both forms, and every mistake in them."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from stepweave.engine.clock import VirtualClock
from stepweave.engine.failures import StateError
from stepweave.engine.mock_files import read_mocks, read_set_up
from stepweave.engine.mock_responses import Surroundings
from stepweave.errors import DefinitionError, UsageError

CLOCK = VirtualClock()
LOCAL = {
    "StateMachines": {"orders": {"TestCases": {"Paid": {"Charge": "PaidLater"}, "Empty": {}}}},
    "MockedResponses": {
        "PaidLater": {
            "0": {"Throw": {"Error": "Busy", "Cause": "later"}},
            "1-2": {"Return": {"StatusCode": 200}},
        }
    },
}


def surroundings() -> Surroundings:
    return Surroundings(now=CLOCK.now, generator=Random(0))


def answers(content: Any, key: str, *arguments: Any, **options: Any) -> list[Any]:
    """What the mock ``key`` gives to one call after another; an error is its name and cause."""
    mock = read_mocks(content, surroundings(), machine="orders", **options)[key]

    async def ask() -> list[Any]:
        found: list[Any] = []
        for each in arguments:
            try:
                found.append(await mock.answer(each))
            except StateError as error:
                found.append((error.error, error.cause))
        return found

    return CLOCK.run(ask())


def problems(content: Any, **options: Any) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        read_mocks(content, surroundings(), machine="orders", file="mocks.json", **options)
    assert all(problem.file == "mocks.json" for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


def test_a_value_is_returned_to_every_call() -> None:
    assert answers({"a": {"Return": {"x": 1}}}, "a", 1, 2) == [{"x": 1}, {"x": 1}]


def test_responses_are_given_in_turn_and_the_last_repeats() -> None:
    responses = [{"Throw": {"Error": "Busy", "Cause": "later"}}, {"Return": 1}, {"Return": 2}]
    assert answers({"a": responses}, "a", 0, 0, 0, 0) == [("Busy", "later"), 1, 2, 2]


def test_an_error_needs_no_cause() -> None:
    assert answers({"a": {"Throw": {"Error": "Busy"}}}, "a", 0) == [("Busy", "")]


def test_pass_echoes_the_arguments() -> None:
    assert answers({"a": {"Pass": True}}, "a", {"x": [1]}) == [{"x": [1]}]


def test_expressions_read_the_arguments_and_draw_by_the_seed() -> None:
    content = {"a": {"Return": {"total": "{% $sum($states.input.items) %}", "id": "{% $uuid() %}"}}}
    [first] = answers(content, "a", {"items": [1, 2]})
    assert first["total"] == 3
    assert answers(content, "a", {"items": [1, 2]}) == [first]


def test_an_expression_that_fails_is_an_error_of_the_state() -> None:
    [(error, cause)] = answers({"a": {"Return": "{% $states.input.gone %}"}}, "a", {})
    assert error == "States.QueryEvaluationError"
    assert cause.startswith("In the mock: ")


@pytest.mark.parametrize("response", [{"Return": 1}, {"Pass": True}, {"Throw": {"Error": "E"}}])
def test_a_delay_is_time_that_the_call_takes(response: dict[str, Any]) -> None:
    before = CLOCK.now()
    answers({"a": {**response, "Delay": 2.5}}, "a", 0)
    assert CLOCK.now() - before == 2.5


def test_two_calls_at_once_get_two_responses() -> None:
    mock = read_mocks({"a": [{"Return": 1, "Delay": 5}, {"Return": 2}]}, surroundings(), machine="m")["a"]

    async def ask() -> list[Any]:
        return list(await asyncio.gather(mock.answer(0), mock.answer(0)))

    assert CLOCK.run(ask()) == [1, 2]


@pytest.mark.parametrize(
    "content, words",
    [
        ([], "a mock file is an object"),
        ({"a": []}, "the mock 'a' has no response"),
        ({"a": 1}, "the mock 'a' is no response"),
        ({"a": {}}, "the mock 'a' is no response"),
        ({"a": {"Retrun": 1}}, "got: Retrun"),
        ({"a": {"Return": 1, "Throw": {"Error": "E"}}}, "the mock 'a' is no response"),
        ({"a": {"Return": 1, "Wait": 3}}, "the mock 'a' is no response"),
        ({"a": [{"Return": 1}, 2]}, "response 1 of the mock 'a' is no response"),
        ({"a": {"Return": 1, "Delay": -1}}, "the Delay of the mock 'a' is no time"),
        ({"a": {"Return": 1, "Delay": True}}, "is no time"),
        ({"a": {"Return": 1, "Delay": float("inf")}}, "is no time"),
        ({"a": {"Pass": False}}, "Pass of the mock 'a' is not true"),
        ({"a": {"Throw": "E"}}, "the Throw of the mock 'a' is no error"),
        ({"a": {"Throw": {"Cause": "c"}}}, "is no error"),
        ({"a": {"Throw": {"Error": 1}}}, "is no error"),
        ({"a": {"Throw": {"Error": "E", "Code": "1"}}}, "is no error"),
        ({"a": {"Return": "{% 1 + %}"}}, "an expression in the Return of the mock 'a' cannot be read"),
    ],
)
def test_a_mistake_is_told_with_its_place(content: Any, words: str) -> None:
    [problem] = problems(content)
    assert words in problem


def test_all_mistakes_are_told_together() -> None:
    assert len(problems({"a": 1, "b": {"Return": 1, "Delay": "x"}, "c": []})) == 3


def test_a_case_of_step_functions_local_answers_call_by_call_and_then_fails() -> None:
    found = answers(LOCAL, "Charge", *[0] * 4, case="Paid")
    assert found[:3] == [("Busy", "later"), {"StatusCode": 200}, {"StatusCode": 200}]
    error, cause = found[3]
    assert error == "States.Runtime"
    assert "no response for call 3: its last is 2" in cause


def test_expressions_are_text_in_a_file_of_step_functions_local() -> None:
    responses = {"R": {"0": {"Return": "{% 1 + 1 %}"}}}
    content = {"StateMachines": {"m": {"TestCases": {"T": {"a": "R"}}}}, "MockedResponses": responses}
    assert answers(content, "a", 0, case="T") == ["{% 1 + 1 %}"]


def test_a_case_without_states_mocks_nothing() -> None:
    assert read_mocks(LOCAL, surroundings(), machine="orders", case="Empty") == {}


def test_the_only_state_machine_is_meant_whatever_its_name() -> None:
    assert list(read_mocks(LOCAL, surroundings(), machine="other", case="Paid")) == ["Charge"]


@pytest.mark.parametrize(
    "machine, case, words",
    [
        ("orders", None, "choose one with --case: 'Paid', 'Empty'"),
        ("orders", "Pad", "no test case 'Pad', but 'Paid', 'Empty'"),
    ],
)
def test_a_case_must_be_chosen_and_be_there(machine: str, case: str | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_mocks(LOCAL, surroundings(), machine=machine, case=case)


def test_of_several_state_machines_that_of_the_name_is_meant() -> None:
    machines = {"a": {"TestCases": {"T": {"s": "PaidLater"}}}, "b": {"TestCases": {"T": {}}}}
    content = {**LOCAL, "StateMachines": machines}
    assert list(read_mocks(content, surroundings(), machine="a", case="T")) == ["s"]
    assert read_mocks(content, surroundings(), machine="b", case="T") == {}
    with pytest.raises(UsageError, match="no state machine 'c', but 'a', 'b'"):
        read_mocks(content, surroundings(), machine="c", case="T")


def test_a_case_needs_a_file_with_cases() -> None:
    with pytest.raises(UsageError, match="leave --case out"):
        read_mocks({"a": {"Return": 1}}, surroundings(), machine="m", case="T")


def of_case(responses: Any, states: Any = None) -> dict[str, Any]:
    states = {"a": "R"} if states is None else states
    return {"StateMachines": {"orders": {"TestCases": {"T": states}}}, "MockedResponses": responses}


@pytest.mark.parametrize(
    "content, words",
    [
        ({"StateMachines": []}, "StateMachines is not an object"),
        (
            {"StateMachines": {"orders": {"TestCases": []}}, "MockedResponses": {}},
            "TestCases is not an object",
        ),
        ({"StateMachines": {"orders": {"TestCases": {"T": 1}}}, "MockedResponses": {}}, "TestCases is not"),
        (of_case({"Q": {"0": {"Return": 1}}}), "mocks the state 'a' by 'R', which is no mocked response"),
        (of_case({"R": {}}), "the mocked response 'R' has no calls"),
        (of_case({"R": 1}), "the mocked response 'R' has no calls"),
        (of_case({"R": {"first": {"Return": 1}}}), "'first' in the mocked response 'R' names no calls"),
        (of_case({"R": {"2-1": {"Return": 1}}}), "names no calls"),
        (of_case({"R": {"0-99999": {"Return": 1}}}), "names no calls"),
        (of_case({"R": {"1": {"Return": 1}}}), "says nothing of call 0"),
        (of_case({"R": {"0": {"Return": 1}, "2": {"Return": 1}}}), "says nothing of call 1"),
        (of_case({"R": {"0-1": {"Return": 1}, "1": {"Return": 1}}}), "says twice what happens in call 1"),
        (of_case({"R": {"0": {"Retrun": 1}}}), "'0' in the mocked response 'R' is no response"),
    ],
)
def test_a_mistake_in_a_file_of_step_functions_local_is_told(content: Any, words: str) -> None:
    assert any(words in problem for problem in problems(content, case="T"))


def test_the_set_up_is_no_mock() -> None:
    calls = [{"call": "sqs:createQueue", "arguments": {"QueueName": "q"}}, {"call": "sqs:listQueues"}]
    content = {"aws": calls, "a": {"Return": 1}}
    assert list(read_mocks(content, surroundings(), machine="m")) == ["a"]
    assert read_set_up(content) == tuple(calls)
    assert read_set_up({"a": {"Return": 1}}) == ()


@pytest.mark.parametrize(
    "calls",
    [
        {"Return": 1},
        ["sqs:createQueue"],
        [{"arguments": {}}],
        [{"call": "x:y", "arguments": 1}],
        [{"call": "x:y", "z": 1}],
    ],
)
def test_a_set_up_that_is_no_list_of_calls_is_told(calls: Any) -> None:
    with pytest.raises(DefinitionError, match="lists the calls that set up") as caught:
        read_set_up({"aws": calls}, file="mocks.json")
    assert caught.value.problems[0].file == "mocks.json"
