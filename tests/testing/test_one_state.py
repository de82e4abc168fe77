"""`run_state`: one state alone."""

from __future__ import annotations

from typing import Any

import pytest

from stepweave.errors import DefinitionError, UsageError
from stepweave.testing import AwsServices, Error, run_state
from tests.engine.building import block, call, machine, passing

ORDERS = machine(
    (
        "Big?",
        {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.total > $limit %}", "Next": "Ask", "Assign": {"big": True}},
                {"Condition": "{% $states.input.total = 0 %}", "Next": "Big?"},
            ],
            "Default": "Charge",
        },
    ),
    ("Ask", passing(Next="Charge")),
    (
        "Charge",
        call(
            "charge",
            {"amount": "{% $states.input.total %}"},
            Assign={"charge": "{% $states.result.Payload.id %}"},
            Output="{% $states.result.Payload %}",
            Retry=[{"ErrorEquals": ["Network"], "IntervalSeconds": 10}],
            Catch=[{"ErrorEquals": ["Declined"], "Output": "{% $states.errorOutput.Cause %}", "Next": "Refuse"}],
        ),
    ),
    ("Each", {"Type": "Map", "Items": "{% [1] %}", "ItemProcessor": block(("Inside", call("inside")))}),
    ("Refuse", {"Type": "Fail", "Error": "Refused", "Cause": "{% 'since ' & $states.input %}"}),
)  # fmt: skip


@pytest.mark.parametrize(
    "total, following, assigned", [(101, "Ask", {"big": True}), (0, "Big?", {}), (7, "Charge", {})]
)
def test_a_choice_alone_says_where_it_leads(total: int, following: str, assigned: Any) -> None:
    found = run_state(ORDERS, "Big?", {"total": total}, variables={"limit": 100})

    assert (found.status, found.next, found.variables) == ("SUCCEEDED", following, assigned)
    assert found.output == {"total": total}


def test_a_task_alone_gives_its_result_its_output_and_what_it_assigns() -> None:
    found = run_state(ORDERS, "Charge", {"total": 7}, fakes={"charge": {"id": "c-1"}})

    assert found.calls[0].arguments == {"FunctionName": "charge", "Payload": {"amount": 7}}
    assert found.result["Payload"] == {"id": "c-1"}
    assert (found.output, found.variables, found.next) == ({"id": "c-1"}, {"charge": "c-1"}, "Each")
    assert (found.error, found.cause) == (None, None)


def test_retries_are_made_and_their_time_counts() -> None:
    found = run_state(
        ORDERS, "Charge", {"total": 7}, fakes={"Charge": [Error("Network"), {"Payload": {"id": 1}}]}
    )

    assert (found.status, len(found.calls), found.elapsed, found.error) == ("SUCCEEDED", 2, 10, None)


def test_an_error_that_is_caught_leads_to_where_the_catcher_says() -> None:
    found = run_state(ORDERS, "Charge", {"total": 7}, fakes={"charge": Error("Declined", "no funds")})

    assert (found.status, found.next, found.output) == ("CAUGHT_ERROR", "Refuse", "no funds")
    assert (found.error, found.cause) == ("Declined", "no funds")


def test_an_error_that_nobody_catches_is_the_end() -> None:
    found = run_state(ORDERS, "Charge", {"total": 7}, fakes={"charge": Error("Broken", "badly")})

    assert (found.status, found.next, found.output, found.variables) == ("FAILED", None, None, {})
    assert (found.error, found.cause) == ("Broken", "badly")


def test_a_fail_state_fails() -> None:
    found = run_state(ORDERS, "Refuse", "it rains")

    assert (found.status, found.error, found.cause) == ("FAILED", "Refused", "since it rains")


def test_a_state_inside_another_is_found() -> None:
    found = run_state(ORDERS, "Inside", fakes={"inside": "done"})

    assert (found.status, found.next, found.output["Payload"]) == ("SUCCEEDED", None, "done")


def test_a_state_that_holds_others_runs_them() -> None:
    found = run_state(ORDERS, "Each", fakes={"inside": "done"})

    assert (found.next, [each.state for each in found.calls]) == ("Refuse", ["Inside"])


def test_fakes_of_the_other_states_are_left_aside_and_misspelt_ones_are_not() -> None:
    fakes = {"Charge": {"Payload": {"id": 1}}, "Inside": 1}

    assert run_state(ORDERS, "Charge", {"total": 7}, fakes=fakes).status == "SUCCEEDED"
    with pytest.raises(DefinitionError, match="write 'Charge'"):
        run_state(ORDERS, "Charge", {"total": 7}, fakes={**fakes, "Chrage": 1})


@pytest.mark.parametrize(
    "value",
    [
        1, 2.5, True, None, "", "text", "{% 1 + 1 %}", '{% "quoted" %}', "${Name}", "a ${b} c", "{%", "a %}",
        "\\ \n \"é\" 🙂",
        [1, [2], []], {"a": {"b": ["{% x %}"]}, "n": None}, 12345678901234567890,
    ],
)  # fmt: skip
def test_a_variable_has_just_the_value_given(value: Any) -> None:
    definition = machine(("Show", passing(Output="{% $v %}")))

    assert run_state(definition, "Show", variables={"v": value}).output == (
        value if value != 12345678901234567890 else pytest.approx(value)
    )


def test_a_variable_that_is_not_given_is_undefined() -> None:
    found = run_state(ORDERS, "Big?", {"total": 1})

    assert (found.status, found.error) == ("FAILED", "States.QueryEvaluationError")
    assert "'$states.input.total > $limit'" in str(found.cause)


def test_a_state_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="no state 'Chrage'; it has: 'Big\\?', 'Ask', 'Charge'"):
        run_state(ORDERS, "Chrage")


def test_a_state_may_call_services() -> None:
    services = AwsServices()
    topic = services.prepare([{"call": "sns:createTopic", "arguments": {"Name": "t"}}])[0]["TopicArn"]
    publish = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Arguments": {"TopicArn": topic, "Message": "hello"},
    }

    found = run_state(machine(("Tell", publish)), "Tell", services=services)

    assert found.output["MessageId"]
