"""How failed expressions are recorded: where, which, and why.

The facts are from executions that others ran on AWS: the snapshots of localstack
(https://github.com/localstack/localstack, tests/aws/services/stepfunctions, 2024 to 2026), floci
(https://github.com/floci-io/floci/issues/2665, /2733, /2736, /pull/3167, us-east-1, 2026) and the notes of sfnx
(https://github.com/iwamot/sfnx/blob/main/docs/design.md). The machines here are our own.
"""

from typing import Any

import pytest

from tests.engine.building import block, call, echo, machine, passing, run
from tests.engine.recording import details, steps, where

MISSING = "{% $states.input.missing %}"
HANDLED = [{"ErrorEquals": ["States.ALL"], "Next": "handled"}]


def undefined(field: str) -> str:
    """The rest of the cause of an expression without a result."""
    return (
        f"The JSONata expression '$states.input.missing' specified for the field '{field}' "
        "returned nothing (undefined)."
    )


@pytest.mark.parametrize(
    "state,field",
    [
        (passing(Output={"v": MISSING}), "Output/v"),
        (passing(Output=MISSING), "Output"),
        (passing(Output={"a": {"b": [[1, MISSING]]}}), "Output/a/b[0][1]"),
        (passing(Assign={"x": {"y": MISSING}}), "Assign/x/y"),
        ({"Type": "Choice", "Choices": [{"Condition": MISSING, "Next": "end"}]}, "Choices[0]/Condition"),
        (
            {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "end", "Output": [MISSING]}]},
            "Choices[0]/Output[0]",
        ),
        ({"Type": "Wait", "Seconds": MISSING}, "Seconds"),
        (call("echo", {"p": MISSING}), "Arguments/Payload/p"),
        ({"Type": "Map", "Items": MISSING, "ItemProcessor": block(("each", passing()))}, "Items"),
    ],
)
def test_an_expression_without_a_result_is_told_with_its_place(state: dict[str, Any], field: str) -> None:
    execution = run(machine(("s", state), ("end", {"Type": "Succeed"})), {}, echo=echo)
    cause = where("s", 2) + undefined(field)
    assert details(execution, "EvaluationFailed") == {
        "error": "States.QueryEvaluationError",
        "cause": cause,
        "location": field,
        "state": "s",
    }
    assert details(execution, "ExecutionFailed") == {"error": "States.QueryEvaluationError", "cause": cause}


def test_an_expression_that_throws_is_told_with_the_message_of_jsonata() -> None:
    execution = run(machine(("s", passing(Output={"v": "{% $abs('a') %}"}))))
    assert (details(execution, "EvaluationFailed") or {})["cause"] == (
        where("s", 2)
        + "The JSONata expression '$abs('a')' specified for the field 'Output/v' threw an error during evaluation. "
        + 'T0410: Argument 1 of function "abs" does not match function signature'
    )


@pytest.mark.parametrize(
    "items,kind,text",
    [(1, "number", "1"), ("s", "string", '"s"'), ({"a": 1}, "object", '{"a":1}'), (None, "null", "null")],
)
def test_items_that_are_no_array_are_told_with_their_type_and_value(items: Any, kind: str, text: str) -> None:
    state = {"Type": "Map", "Items": "{% $states.input.i %}", "ItemProcessor": block(("each", passing()))}
    execution = run(machine(("first", passing()), ("m", state)), {"i": items})
    assert execution.history.kinds()[4:] == ["EvaluationFailed", "MapStateFailed", "ExecutionFailed"]
    assert (details(execution, "EvaluationFailed") or {})["cause"] == (
        where("m", 4)
        + "The JSONata expression '$states.input.i' specified for the field 'Items' returned an unexpected result "
        + f"type. Expected 'array', but was '{kind}' for value: {text}"
    )


@pytest.mark.parametrize(
    "text", ["2016-12-05 21:29:29Z", "2016-12-05T21:29:29", "2016-13-05T21:29:29Z", "05-12-2016T21:29:29Z"]
)
def test_a_time_that_cannot_be_read_is_told_with_its_text(text: str) -> None:
    execution = run(machine(("w", {"Type": "Wait", "Timestamp": "{% $states.input %}"})), text)
    assert steps(execution)[1:] == ["2<0 WaitStateEntered", "3<2 EvaluationFailed", "4<3 ExecutionFailed"]
    assert details(execution, "EvaluationFailed") == {
        "error": "States.QueryEvaluationError",
        "cause": where("w", 2)
        + f"The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: {text}",
        "location": "Timestamp",
        "state": "w",
    }


def test_arguments_that_fail_are_recorded_once_per_attempt_and_nothing_is_scheduled() -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    execution = run(machine(("t", call("never", {"p": MISSING}, Retry=retry))), {}, never=echo)
    assert steps(execution)[1:] == [
        "2<0 TaskStateEntered",
        "3<2 EvaluationFailed",
        "4<3 EvaluationFailed",
        "5<4 ExecutionFailed",
    ]


def test_a_failed_expression_in_a_branch_is_told_once_and_may_be_caught() -> None:
    state = {"Type": "Parallel", "Branches": [block(("u", passing(Output=MISSING)))], "Catch": HANDLED}
    execution = run(machine(("p", state), ("handled", passing())), {})
    assert steps(execution)[3:7] == [
        "4<3 PassStateEntered",
        "5<4 EvaluationFailed",
        "6<5 ParallelStateFailed",
        "7<6 ParallelStateExited",
    ]
    assert execution.output == {
        "Error": "States.QueryEvaluationError",
        "Cause": where("u", 4) + undefined("Output"),
    }


def test_a_catcher_that_fails_itself_fails_the_state_again() -> None:
    catch = [
        {"ErrorEquals": ["Other"], "Next": "end"},
        {**HANDLED[0], "Output": {"v": MISSING}, "Next": "end"},
    ]
    branch = block(("f", {"Type": "Fail", "Error": "Broken"}))
    state = {"Type": "Parallel", "Branches": [branch], "Catch": catch}
    execution = run(machine(("p", state), ("end", {"Type": "Succeed"})), {})
    assert steps(execution)[4:] == [
        "5<4 ParallelStateFailed",
        "6<4 EvaluationFailed",
        "7<6 ParallelStateFailed",
        "8<7 ExecutionFailed",
    ]
    assert (details(execution, "EvaluationFailed") or {})["location"] == "Catch[1]/Output/v"
