"""Mocks: which task each serves, by state, function, resource and pattern, and those that serve none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.mocks import Mock, place
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError
from tests.engine.building import block, call, machine, passing

PUT = {
    "Type": "Task",
    "Resource": "arn:aws:states:::dynamodb:putItem",
    "Arguments": {"TableName": "t", "Item": {"id": {"S": "1"}}},
}
START = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution.sync:2",
    "Arguments": {"StateMachineArn": "child"},
}
TOKEN = "arn:aws:states:::lambda:invoke.waitForTaskToken"


def mock(name: str, value: Any = None) -> Mock:
    async def outcome(arguments: Any) -> Any:
        return {"by": name, "arguments": arguments} if value is None else value

    return Mock(name, [outcome])


def run(definition: dict[str, Any], *keys: str, others: Mapping[str, Any] | None = None) -> Execution:
    """The ended execution of a machine with a mock of each key."""
    machines = {name: parse(each, name) for name, each in {**(others or {}), "main": definition}.items()}
    placed = place({key: mock(key) for key in keys}, machines.values())
    integrations = {**lambda_integrations(placed.functions), **placed.integrations}
    engine = Engine(machines, integrations, clock=VirtualClock())
    return engine.clock.run(engine.run("main", {}, "run-1"))


def served(definition: dict[str, Any], *keys: str) -> str:
    """The key of the mock that served the only task."""
    execution = run(definition, *keys)
    assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
    output = execution.output
    return str(output["Payload"]["by"] if "Payload" in output else output["by"])


@pytest.mark.parametrize(
    "key",
    [
        "Charge",
        "charge",
        "lambda:invoke",
        "arn:aws:states:::lambda:invoke",
        "lambda:*",
        "*",
    ],
)
def test_a_function_is_mocked_by_state_by_name_by_resource_and_by_pattern(key: str) -> None:
    assert served(machine(("Charge", call("charge"))), key) == key


def test_an_arn_names_the_function_too() -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:charge:live"
    assert served(machine(("a", call(arn))), "charge") == "charge"
    bare = {"Type": "Task", "Resource": arn}
    for key in ("a", "charge", "lambda:function"):
        assert served(machine(("a", bare)), key) == key


@pytest.mark.parametrize("key", ["a", "states:startExecution.sync:2", "states:startExecution", "states:*"])
def test_what_is_waited_for_is_mocked_by_its_action_too(key: str) -> None:
    assert served(machine(("a", START)), key) == key


def test_the_nearer_key_wins() -> None:
    order = ["*", "dynamodb:*", "dynamodb:putItem", "Store"]
    definition = machine(("Store", PUT))
    for number in range(1, len(order) + 1):
        machines = [parse(definition, "main")]
        placed = place({key: mock(key) for key in order[:number]}, machines, idle_resources=True)
        engine = Engine({"main": machines[0]}, placed.integrations, clock=VirtualClock())
        assert engine.clock.run(engine.run("main")).output["by"] == order[number - 1]


@pytest.mark.parametrize("farther", ["charge", "lambda:invoke", "lambda:*"])
def test_a_mock_to_which_a_nearer_one_leaves_nothing_is_no_mistake(farther: str) -> None:
    assert run(machine(("a", call("charge"))), farther, "a").output["by"] == "a"


def test_a_function_gets_its_payload_and_its_result_is_wrapped_as_lambda_does() -> None:
    output = run(machine(("a", call("charge", {"x": 1}))), "charge").output
    assert output["Payload"] == {"by": "charge", "arguments": {"x": 1}}
    assert output["StatusCode"] == 200


def test_a_state_gets_all_arguments_and_gives_the_whole_result() -> None:
    output = run(machine(("a", call("charge", {"x": 1}))), "a").output
    assert output == {"by": "a", "arguments": {"FunctionName": "charge", "Payload": {"x": 1}}}


def test_a_mocked_token_is_what_would_be_sent_back() -> None:
    waiting = {**call("ask", {"token": "{% $states.context.Task.Token %}"}), "Resource": TOKEN}
    for key in ("a", "ask", "lambda:invoke.waitForTaskToken", "lambda:invoke"):
        assert run(machine(("a", waiting)), key).output["by"] == key
    payload = run(machine(("a", waiting)), "ask").output["arguments"]
    assert list(payload) == ["token"]


def test_a_function_whose_name_is_computed_is_found_when_it_is_called() -> None:
    definition = machine(("a", {**call("x"), "Arguments": {"FunctionName": "{% 'char' & 'ge' %}"}}))
    assert served(definition, "charge") == "charge"
    assert run(definition, "other").error == "Lambda.ResourceNotFoundException"


def test_tasks_inside_maps_branches_and_other_machines_are_mocked() -> None:
    each = {"Type": "Map", "Items": [1], "ItemProcessor": block(("inner", PUT))}
    both = {"Type": "Parallel", "Branches": [block(("left", PUT))]}
    execution = run(
        machine(("each", each), ("both", both)),
        "inner",
        "left",
        "far",
        others={"other": machine(("far", PUT))},
    )
    assert execution.status == "SUCCEEDED"


def test_states_of_one_name_in_two_machines_need_a_mock_by_name_when_only_one_function_is_mocked() -> None:
    main, other = machine(("pay", call("a"))), machine(("pay", call("b")))
    with pytest.raises(DefinitionError, match="mock the state by its name, 'pay'"):
        run(main, "a", others={"other": other})
    assert run(main, "pay", others={"other": other}).output["by"] == "pay"


def problem_of(definition: dict[str, Any], key: str, **options: Any) -> str:
    with pytest.raises(DefinitionError) as caught:
        place({key: mock(key)}, [parse(definition, "main")], file="mocks.json", **options)
    [problem] = caught.value.problems
    return str(problem)


@pytest.mark.parametrize(
    "key, words",
    [
        ("Chrge", ["no task is mocked by 'Chrge'", "write 'Charge'"]),
        ("sqs:*", ["no task is mocked by 'sqs:*'", "'Charge', 'charge', 'lambda:invoke'"]),
        ("Check", ["the state 'Check' is a Pass and calls nothing"]),
        ("nothing like it", ["remove the mock, or give it the name of what it stands for"]),
    ],
)
def test_a_mock_that_serves_nothing_is_a_mistake(key: str, words: list[str]) -> None:
    problem = problem_of(machine(("Check", passing()), ("Charge", call("charge"))), key)
    assert problem.startswith("mocks.json: ")
    assert [word for word in words if word not in problem] == []


def test_without_tasks_there_is_nothing_to_mock() -> None:
    assert "the definition has no Task" in problem_of(machine(("Check", passing())), "x")


def test_a_test_suite_may_mock_resources_that_one_machine_does_not_use() -> None:
    machines = [parse(machine(("Charge", call("charge"))), "main")]
    assert place({"sqs:*": mock("sqs:*")}, machines, idle_resources=True).integrations == {}
    assert "no task is mocked by 'Pay'" in problem_of(
        machine(("Charge", call("charge"))), "Pay", idle_resources=True
    )


def test_a_mock_counts_its_calls() -> None:
    found = mock("a")
    clock = VirtualClock()
    for _ in range(3):
        clock.run(found.answer({}))
    assert found.calls == 3
