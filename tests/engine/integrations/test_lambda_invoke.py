"""``lambda:invoke`` and ``lambda:function``: functions by name, their errors."""

import asyncio
import json
from typing import Any

import pytest

from stepweave.engine.callables import InlineFunction
from stepweave.engine.engine import Engine
from stepweave.engine.failures import FunctionError
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError
from tests.engine.building import Lab, call, echo, failing, machine, result_of, run

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:echo"


def direct(arn: str = ARN, **fields: Any) -> dict[str, Any]:
    """A Task whose Resource is the function itself."""
    return {"Type": "Task", "Resource": arn, **fields}


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


@pytest.mark.parametrize(
    "name, version",
    [
        ("echo", "$LATEST"),
        ("echo:live", "live"),
        (ARN, "$LATEST"),
        (f"{ARN}:3", "3"),
        ("123456789012:function:echo:3", "3"),
    ],
)
def test_a_function_is_named_by_name_or_arn_with_or_without_a_qualifier(name: str, version: str) -> None:
    result = result_of(machine(("t", call(name, {"a": 1}))), echo=echo)
    assert result == {"ExecutedVersion": version, "Payload": {"a": 1}, "StatusCode": 200}


def test_the_qualifier_may_be_an_argument_of_its_own() -> None:
    task = call("echo")
    task["Arguments"]["Qualifier"] = "prod"
    assert result_of(machine(("t", task)), echo=echo)["ExecutedVersion"] == "prod"


def test_an_exact_name_comes_before_the_name_without_its_qualifier() -> None:
    async def first(event: Any) -> str:
        return "first"

    lab = Lab({"main": machine(("t", call("echo:1")))}, {"echo": echo, "echo:1": first})
    assert lab.run().output["Payload"] == "first"


@pytest.mark.parametrize("payload", [{}, {"Payload": None}])
def test_a_function_without_payload_gets_an_empty_object(payload: dict[str, Any]) -> None:
    task = call("echo")
    task["Arguments"] = {"FunctionName": "echo", **payload}
    assert result_of(machine(("t", task)), echo=echo)["Payload"] == {}


def test_an_event_is_not_waited_for_and_its_error_is_nobodys() -> None:
    done: list[float] = []

    async def slow(event: Any) -> None:
        await asyncio.sleep(50)
        done.append(lab.clock.elapsed)
        raise ValueError("lost")

    task = call("slow")
    task["Arguments"]["InvocationType"] = "Event"
    lab = Lab({"main": machine(("t", task), ("w", {"Type": "Wait", "Seconds": 60}))}, {"slow": slow})
    assert lab.run().output == {"Payload": "", "StatusCode": 202}
    assert done == [50]
    assert lab.clock.elapsed == 60


def test_a_dry_run_calls_nothing() -> None:
    task = call("bad")
    task["Arguments"]["InvocationType"] = "DryRun"
    assert result_of(machine(("t", task)), bad=failing(ValueError("called")))["StatusCode"] == 204


def test_a_function_that_the_resource_names_gets_the_arguments_and_gives_its_result() -> None:
    assert result_of(machine(("t", direct(Arguments={"n": 7}))), echo=echo) == {"n": 7}
    assert result_of(machine(("t", direct(f"{ARN}:live"))), {"in": 1}, echo=echo) == {"in": 1}


def test_the_error_of_a_function_that_the_resource_names_is_its_own() -> None:
    execution = run(machine(("t", direct(ARN))), echo=failing(ValueError("no")))
    assert execution.error == "ValueError"
    assert json.loads(execution.cause or "")["errorMessage"] == "no"


def test_a_function_of_a_resource_that_is_not_there_is_found_before_anything_runs() -> None:
    with pytest.raises(DefinitionError, match="Resource names no function of this engine") as caught:
        Lab({"main": machine(("t", direct()))}, {"other": echo})
    assert (caught.value.problems[0].expected, caught.value.problems[0].got) == ("other", ARN)
