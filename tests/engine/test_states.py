"""Each state type by itself: Pass, Choice, Wait, Succeed, Fail, Task."""

from typing import Any

import pytest

from tests.engine.building import Lab, call, echo, machine, passing, result_of, run


def test_a_pass_hands_its_input_on_when_it_has_no_output() -> None:
    assert result_of(machine(("a", passing())), {"x": 1}) == {"x": 1}


def test_output_mixes_data_and_expressions() -> None:
    output = {
        "n": "{% $states.input.x + 1 %}",
        "text": "{ % is data",
        "list": [1, "{% $states.input.x %}"],
        "null": None,
    }
    assert result_of(machine(("a", passing(Output=output))), {"x": 1}) == {
        "n": 2,
        "text": "{ % is data",
        "list": [1, 1],
        "null": None,
    }


def test_null_is_a_result() -> None:
    assert result_of(machine(("a", passing(Output="{% null %}")))) is None
    assert result_of(machine(("a", passing(Output={"x": "{% $states.input.x %}"}))), {"x": None}) == {
        "x": None
    }


@pytest.mark.parametrize("expression", ["$states.input.missing", "$nothing", "[1,2][5]", "$states.input.x.y"])
def test_an_undefined_result_is_an_error(expression: str) -> None:
    execution = run(machine(("a", passing(Output="{% " + expression + " %}"))), {"x": 1})
    assert (execution.status, execution.error) == ("FAILED", "States.QueryEvaluationError")
    assert "returned nothing (undefined)" in (execution.cause or "")


def test_an_expression_that_fails_names_its_field() -> None:
    execution = run(machine(("a", passing(Output={"deep": ["{% 1 + 'x' %}"]}))))
    assert execution.error == "States.QueryEvaluationError"
    assert "Output/deep[0]" in (execution.cause or "")


def test_a_choice_takes_the_first_condition_that_holds() -> None:
    rules = [
        {"Condition": "{% $states.input > 10 %}", "Next": "big"},
        {"Condition": "{% $states.input > 5 %}", "Next": "mid"},
    ]
    definition = machine(
        ("choose", {"Type": "Choice", "Choices": rules, "Default": "small"}),
        *((name, passing(Output=name, End=True)) for name in ("big", "mid", "small")),
    )
    assert [result_of(definition, number) for number in (11, 6, 1)] == ["big", "mid", "small"]


def test_a_rule_uses_its_own_assign_and_output_and_the_default_those_of_the_state() -> None:
    rule = {"Condition": "{% $states.input %}", "Next": "end", "Assign": {"x": "rule"}, "Output": "from rule"}
    choice = {
        "Type": "Choice",
        "Choices": [rule],
        "Default": "end",
        "Assign": {"x": "state"},
        "Output": "from state",
    }
    definition = machine(("choose", choice), ("end", passing(Output=["{% $x %}", "{% $states.input %}"])))
    assert result_of(definition, True) == ["rule", "from rule"]
    assert result_of(definition, False) == ["state", "from state"]


def test_a_choice_without_match_and_default_fails() -> None:
    rules = [{"Condition": "{% false %}", "Next": "end"}]
    execution = run(machine(("choose", {"Type": "Choice", "Choices": rules}), ("end", passing())))
    # The documentation says States.NoChoiceMatched; this was read off AWS (docs/parity.md).
    assert execution.error == "States.Runtime"
    assert "Failed to transition out of the state" in (execution.cause or "")


def test_a_condition_must_be_true_or_false() -> None:
    rules = [{"Condition": "{% 1 %}", "Next": "end"}]
    execution = run(
        machine(("choose", {"Type": "Choice", "Choices": rules, "Default": "end"}), ("end", passing()))
    )
    assert execution.error == "States.QueryEvaluationError"


def test_a_wait_takes_its_seconds() -> None:
    lab = Lab({"main": machine(("wait", {"Type": "Wait", "Seconds": "{% $states.input * 2 %}"}))})
    assert lab.run(30).output == 30
    assert lab.clock.elapsed == 60


def test_a_wait_ends_at_its_timestamp_and_at_once_when_that_has_passed() -> None:
    for timestamp, seconds in (("2026-01-01T00:01:30Z", 90), ("2020-01-01T00:00:00+02:00", 0)):
        lab = Lab({"main": machine(("wait", {"Type": "Wait", "Timestamp": timestamp}))})
        lab.run()
        assert lab.clock.elapsed == seconds


@pytest.mark.parametrize(
    "field", [{"Seconds": "{% -1 %}"}, {"Seconds": "{% 'x' %}"}, {"Timestamp": "{% 'tomorrow' %}"}]
)
def test_a_wait_that_makes_no_sense_fails(field: dict[str, str]) -> None:
    assert run(machine(("wait", {"Type": "Wait", **field}))).error == "States.QueryEvaluationError"


def test_succeed_ends_the_machine_with_its_output() -> None:
    assert (
        result_of(machine(("end", {"Type": "Succeed", "Output": "{% $states.input & '!' %}"})), "done")
        == "done!"
    )


def test_fail_ends_the_machine_with_error_and_cause() -> None:
    fail = {"Type": "Fail", "Error": "{% 'Bad' & 'Data' %}", "Cause": "{% $states.input.why %}"}
    execution = run(machine(("end", fail)), {"why": "empty"})
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "BadData", "empty")
    assert execution.output is None


def test_a_cause_must_be_a_string() -> None:
    assert run(machine(("end", {"Type": "Fail", "Cause": "{% 1 %}"}))).error == "States.QueryEvaluationError"


def test_a_task_hands_on_the_answer_of_lambda() -> None:
    assert result_of(machine(("t", call("echo", {"a": 1}))), echo=echo) == {
        "ExecutedVersion": "$LATEST",
        "Payload": {"a": 1},
        "StatusCode": 200,
    }


def test_a_task_without_arguments_sends_its_input() -> None:
    definition = machine(
        ("t", {"Type": "Task", "Resource": "arn:aws:lambda:local:000000000000:function:echo"})
    )
    assert result_of(definition, {"x": 3}, echo=echo) == {"x": 3}


def test_the_context_object_tells_execution_state_and_machine() -> None:
    output = {
        "id": "{% $states.context.Execution.Id %}",
        "name": "{% $states.context.Execution.Name %}",
        "input": "{% $states.context.Execution.Input.x %}",
        "start": "{% $states.context.Execution.StartTime %}",
        "state": "{% $states.context.State.Name %}",
        "entered": "{% $states.context.State.EnteredTime %}",
        "machine": "{% $states.context.StateMachine.Name %}",
        "retries": "{% $exists($states.context.State.RetryCount) %}",  # only of states that can be retried
    }
    definition = machine(("wait", {"Type": "Wait", "Seconds": 61}), ("tell", passing(Output=output)))
    assert result_of(definition, {"x": 5}) == {
        "id": "arn:aws:states:local:000000000000:execution:main:run-1",
        "name": "run-1",
        "input": 5,
        "start": "2026-01-01T00:00:00.000Z",
        "state": "tell",
        "entered": "2026-01-01T00:01:01.000Z",
        "machine": "main",
        "retries": False,
    }


def test_a_function_gets_and_returns_copies() -> None:
    kept: list[Any] = []

    async def keep(event: Any) -> Any:
        kept.append(event)
        return kept

    definition = machine(
        ("t", call("keep", {"a": [1]}, Output="{% $states.result.Payload %}")), ("u", call("keep"))
    )
    lab = Lab({"main": definition}, {"keep": keep})
    lab.run()
    succeeded = [event.data["Payload"] for event in lab.events if event.kind == "task_succeeded"]
    assert succeeded == [[{"a": [1]}], [{"a": [1]}, {}]]


def test_a_chain_of_ten_thousand_states_runs_without_recursion() -> None:
    states = [(f"s{number}", passing(Output="{% $states.input + 1 %}")) for number in range(10_000)]
    assert result_of(machine(*states), 0) == 10_000
