"""Pass, Choice, Wait, Succeed, Fail, retriers and catchers: what their fields may hold.

Which fields each type has, and the ranges of numbers, were measured on Step Functions by cdk-preflight
(https://github.com/badmintoncryer/cdk-preflight, rules/stepfunctions, 2026-09-05).
"""

from typing import Any

import pytest

from tests.validation.definitions import INNER, found, machine, of_state, rejected, task

END = {"Type": "Succeed"}
FIELDS: dict[str, Any] = {
    "Next": "b", "End": True, "Output": 1, "Assign": {"x": 1}, "Arguments": {"FunctionName": "f"},
    "Resource": "arn:aws:states:::lambda:invoke", "Credentials": {"RoleArn": "r"},
    "Retry": [{"ErrorEquals": ["x"]}], "Catch": [{"ErrorEquals": ["x"], "Next": "b"}],
    "TimeoutSeconds": 9, "HeartbeatSeconds": 5, "Seconds": 1, "Timestamp": "2026-01-01T00:00:00Z",
    "Branches": [INNER], "ItemProcessor": INNER, "Items": [], "ItemSelector": {}, "MaxConcurrency": 1,
    "Choices": [{"Condition": "{% true %}", "Next": "b"}], "Default": "b", "Error": "e", "Cause": "c",
}  # fmt: skip
ACCEPTED = {
    "Task": "Next End Output Assign Arguments Resource Credentials Retry Catch TimeoutSeconds HeartbeatSeconds",
    "Pass": "Next End Output Assign",
    "Wait": "Next End Output Assign Seconds Timestamp",
    "Choice": "Output Assign Choices Default",
    "Succeed": "Output",
    "Fail": "Error Cause",
    "Parallel": "Next End Output Assign Arguments Retry Catch Branches",
    "Map": "Next End Output Assign Retry Catch ItemProcessor Items ItemSelector MaxConcurrency",
}


@pytest.mark.parametrize("kind", ACCEPTED)
def test_each_type_of_state_has_its_fields_and_no_others(kind: str) -> None:
    refused = {
        field
        for field, value in FIELDS.items()
        if "unknown-field" in [code for code, _ in found(machine({"Type": kind, field: value}, END))]
    }
    assert refused == FIELDS.keys() - ACCEPTED[kind].split()


@pytest.mark.parametrize(
    "state", [{"Type": "Pass"}, task(), {"Type": "Wait", "Seconds": 1}, END, {"Type": "Fail"}]
)
def test_a_comment_and_the_query_language_stand_everywhere(state: dict[str, Any]) -> None:
    assert of_state({**state, "Comment": "{% no expression", "QueryLanguage": "JSONata"}) == []


def test_a_comment_is_text() -> None:
    assert of_state({"Type": "Pass", "Comment": 1}) == ["field-type"]


# Wait


@pytest.mark.parametrize("seconds", [0, 1, 99_999_999, "{% $states.input %}"])
def test_a_wait_takes_whole_seconds_or_an_expression(seconds: Any) -> None:
    assert of_state({"Type": "Wait", "Seconds": seconds}) == []


@pytest.mark.parametrize("seconds", [-1, 100_000_000, 1.5, "5", True, None])
def test_other_seconds_are_refused(seconds: Any) -> None:
    assert of_state({"Type": "Wait", "Seconds": seconds}) == ["field-type"]


@pytest.mark.parametrize(
    "timestamp",
    ["2026-11-20T06:00:00Z", "2026-11-20T06:00:00.123Z", "2026-11-20T06:00:00+01:30", "2016-12-31T23:59:60Z",
     "{% 't' %}"],
)  # fmt: skip
def test_a_wait_takes_a_time_of_rfc_3339_or_an_expression(timestamp: str) -> None:
    assert of_state({"Type": "Wait", "Timestamp": timestamp}) == []


@pytest.mark.parametrize(
    "timestamp",
    ["2026-11-20", "2026-11-20 06:00:00Z", "2026-11-20t06:00:00z", "2026-11-20T06:00:00", "2026-13-20T06:00:00Z",
     "2026-11-20T24:00:00Z", "2026-11-20T06:00:00+0100", "soon"],
)  # fmt: skip
def test_other_times_are_refused(timestamp: str) -> None:
    assert of_state({"Type": "Wait", "Timestamp": timestamp}) == ["field-type"]


# Choice, Fail


def test_a_choice_needs_no_default() -> None:
    rule = {"Condition": "{% true %}", "Next": "b", "Comment": "c", "Assign": {"x": 1}, "Output": None}
    assert of_state({"Type": "Choice", "Choices": [rule]}, END) == []


@pytest.mark.parametrize("condition", [True, "true", None, "{% true"])
def test_a_condition_is_an_expression(condition: Any) -> None:
    rule = {"Condition": condition, "Next": "b"}
    assert of_state({"Type": "Choice", "Choices": [rule]}, END) == ["field-type"]


def test_errors_of_a_fail_are_texts_or_expressions() -> None:
    assert of_state({"Type": "Fail", "Error": "Own", "Cause": "{% $states.input %}"}) == []
    assert of_state({"Type": "Fail", "Error": "States.TaskFailed", "Cause": ""}) == []
    assert of_state({"Type": "Fail", "Error": 1}) == ["field-type"]


# Retriers and catchers


@pytest.mark.parametrize(
    "fields",
    [
        {"IntervalSeconds": 0},
        {"IntervalSeconds": 1, "MaxDelaySeconds": 2},
        {"MaxAttempts": 0},
        {"MaxAttempts": 99_999_999},
        {"BackoffRate": 1},
        {"BackoffRate": 2.5, "JitterStrategy": "FULL"},
        {"MaxDelaySeconds": 31_622_400, "JitterStrategy": "NONE", "Comment": "c"},
    ],
    ids=str,
)
def test_numbers_of_a_retrier(fields: dict[str, Any]) -> None:
    assert of_state(task(Retry=[{"ErrorEquals": ["States.ALL"], **fields}])) == []


@pytest.mark.parametrize(
    "fields,code",
    [
        ({"IntervalSeconds": -1}, "field-type"),
        ({"IntervalSeconds": "{% 1 %}"}, "field-type"),
        ({"MaxAttempts": -1}, "field-type"),
        ({"MaxAttempts": 100_000_000}, "field-type"),
        ({"BackoffRate": 0.9}, "field-type"),
        ({"MaxDelaySeconds": 0}, "field-type"),
        ({"MaxDelaySeconds": 31_622_401}, "field-type"),
        ({"IntervalSeconds": 5, "MaxDelaySeconds": 5}, "retry-delay"),
        ({"JitterStrategy": "HALF"}, "field-type"),
        ({"Speed": 1}, "unknown-field"),
    ],
    ids=str,
)
def test_other_numbers_of_a_retrier_are_refused(fields: dict[str, Any], code: str) -> None:
    assert of_state(task(Retry=[{"ErrorEquals": ["x"], **fields}])) == [code]


@pytest.mark.parametrize("field", ["Retry", "Catch"])
@pytest.mark.parametrize(
    "names,code",
    [
        ([["States.ALL"]], None),
        ([["a", "b"], ["States.Timeout"], ["States.ALL"]], None),
        ([["{% no expression"]], None),
        ([["States.ALL", "a"]], "states-all"),
        ([["States.ALL"], ["a"]], "states-all"),
        ([[]], "field-type"),
        (["a"], "field-type"),
        ([[1]], "error-name"),
        ([[""]], "error-name"),
    ],
)
def test_names_of_errors(field: str, names: list[Any], code: str | None) -> None:
    following = {"Next": "b"} if field == "Catch" else {}
    handlers = [{"ErrorEquals": entry, **following} for entry in names]
    codes = {name for name, _ in found(machine(task(**{field: handlers}), END))}
    assert codes == ({code} if code else set())


def test_an_error_of_step_functions_that_does_not_exist_is_advice() -> None:
    definition = machine(task(Retry=[{"ErrorEquals": ["States.Unheard"]}]))
    assert found(definition) == [("unknown-error", "a")]
    assert rejected(definition) == ()


# Expressions in fields


@pytest.mark.parametrize("text", ["{% $states.result %}", "{% $states.errorOutput %}", "{% $states.other %}"])
def test_members_of_states_are_read_only_where_they_exist(text: str) -> None:
    assert of_state({"Type": "Pass", "Output": {"x": [text]}}) == ["states-variable"]


def test_a_result_and_an_error_are_read_where_they_exist() -> None:
    result, error = "{% $states.result %}", "{% $states.errorOutput.Cause %}"
    catcher = {"ErrorEquals": ["x"], "Next": "b", "Output": error, "Assign": {"y": error}}
    assert of_state(task(Output=result, Assign={"x": result}, Catch=[catcher]), END) == []


@pytest.mark.parametrize("text", ["{% $x ?: 1 %}", "{% $x ?? 1 %}", "{% $eval('1') %}"])
def test_what_step_functions_lacks_of_jsonata_is_refused(text: str) -> None:
    assert "expression-feature" in of_state({"Type": "Pass", "Output": text})


@pytest.mark.parametrize("text", ["{% $phone %}", "{% $states.input.items[phone > 3] %}", "{% $phone() %}"])
def test_a_variable_that_is_never_assigned_is_advice(text: str) -> None:
    assert rejected(machine({"Type": "Pass", "Output": text})) == ()


@pytest.mark.parametrize(
    "text,code",
    [
        ("{% phone %}", "expression-context"),
        ("{% $$ %}", "expression-context"),
        ("{% $.phone %}", "expression-context"),
        ("{% phone[1,2) %}", "expression-syntax"),
        ("{% %}", "expression-syntax"),
    ],
)
def test_expressions_that_read_no_input_of_their_own_or_are_none_are_refused(text: str, code: str) -> None:
    problems = rejected(machine({"Type": "Pass", "Assign": {"Next": text}}))
    assert code in [problem.code for problem in problems]


def test_text_in_blanks_is_text_though_it_looks_like_an_expression() -> None:
    definition = machine({"Type": "Pass", "Output": " {% 1 %} "})
    assert found(definition) == [("expression-blanks", "a")]
    assert rejected(definition) == ()


def test_a_key_of_jsonpath_mode_is_data() -> None:
    definition = machine({"Type": "Pass", "Output": {"x.$": "$.y"}})
    assert found(definition) == [("jsonpath-key", "a")]
    assert rejected(definition) == ()


def test_the_context_has_the_members_that_are_documented() -> None:
    definition = machine(
        {"Type": "Pass", "Output": "{% $states.context.Execution.Id & $states.context.Odd %}"}
    )
    assert found(definition) == [("context-member", "a")]
    assert rejected(definition) == ()
