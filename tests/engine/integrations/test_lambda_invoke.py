"""``lambda:invoke``: functions by name, their errors."""

import json
from typing import Any

import pytest

from stepweave.engine.callables import InlineFunction
from stepweave.engine.engine import Engine
from stepweave.engine.failures import FunctionError
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError
from tests.engine.building import call, echo, failing, machine, result_of, run


def test_an_exception_becomes_its_class_name_and_a_cause_as_on_lambda() -> None:
    execution = run(machine(("t", call("bad"))), bad=failing(ValueError("no é")))
    assert execution.error == "ValueError"
    cause = json.loads(execution.cause or "")
    assert (cause["errorType"], cause["errorMessage"]) == ("ValueError", "no é")
    assert "building.py" in "".join(cause["stackTrace"])
    assert "stepweave/engine" not in "".join(cause["stackTrace"])


def test_a_function_error_chooses_name_and_cause() -> None:
    execution = run(machine(("t", call("bad"))), bad=failing(FunctionError("My.Error", "mine")))
    assert (execution.error, execution.cause) == ("My.Error", "mine")


def test_a_function_that_is_not_there_is_found_before_anything_runs() -> None:
    with pytest.raises(DefinitionError, match="FunctionName names no function of this engine") as caught:
        Engine({"main": parse(machine(("t", call("gone"))), "main")}, lambda_integrations({"echo": echo}))
    problem = caught.value.problems[0]
    assert (problem.state, problem.expected, problem.got) == ("main/t", "echo", "gone")


def test_a_computed_name_that_is_not_there_fails_the_task() -> None:
    execution = run(machine(("t", call("{% $states.input %}"))), "gone", echo=echo)
    assert execution.error == "Lambda.ResourceNotFoundException"
    assert result_of(machine(("t", call("{% $states.input %}", 1))), "echo", echo=echo)["Payload"] == 1


def test_a_resource_that_is_no_integration_is_found_before_anything_runs() -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage"}
    with pytest.raises(DefinitionError, match="sqs:sendMessage"):
        Engine({"main": parse(machine(("t", task)), "main")}, lambda_integrations({}))


def test_an_inline_function_is_called_here_with_a_copy_of_the_event() -> None:
    def spoil(event: Any) -> Any:
        event["list"].append("spoiled")
        return event

    task = call("spoil", {"list": ["{% $states.input %}"]})
    for _ in range(2):
        assert result_of(machine(("t", task)), 1, spoil=InlineFunction(spoil))["Payload"] == {
            "list": [1, "spoiled"]
        }


def test_an_inline_function_that_exits_fails_its_task() -> None:
    def leave(event: Any) -> None:
        raise SystemExit(3)

    execution = run(machine(("t", call("leave"))), leave=InlineFunction(leave))
    assert execution.error == "Runtime.ExitError"
