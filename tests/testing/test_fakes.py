"""Fakes: values, functions, exceptions, lists of these; and assertions inside them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from stepweave.errors import UsageError
from stepweave.testing import Error, run_machine
from tests.engine.building import call, machine, passing

DEFINITION = machine(("Call", call("f", "{% $states.input %}", Output="{% $states.result.Payload %}")))
CAUGHT = machine(
    ("Call", call("f", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}])),
    ("Caught", passing()),
)


def test_a_value_is_the_result() -> None:
    assert run_machine(DEFINITION, fakes={"Call": {"Payload": [1, {"a": None}]}}).output == [1, {"a": None}]


def test_a_fake_of_a_function_gives_what_the_function_returns() -> None:
    assert run_machine(DEFINITION, fakes={"f": 7}).output == 7


def test_a_function_gets_the_arguments() -> None:
    def fake(arguments: Any) -> Any:
        return {"Payload": arguments}

    run = run_machine(DEFINITION, {"n": 1}, fakes={"Call": fake})

    assert run.output == {"FunctionName": "f", "Payload": {"n": 1}}


def test_a_function_may_be_async_and_take_virtual_time() -> None:
    async def fake(arguments: Any) -> Any:
        await asyncio.sleep(7200)
        return {"Payload": "late"}

    run = run_machine(DEFINITION, fakes={"Call": fake})

    assert (run.output, run.elapsed) == ("late", 7200)


def test_what_a_fake_does_to_its_arguments_stays_its_own() -> None:
    def spoil(arguments: Any) -> Any:
        arguments["Payload"]["n"] = "spoiled"
        return arguments

    run = run_machine(DEFINITION, {"n": 1}, fakes={"Call": spoil})

    assert run.calls[0].arguments["Payload"] == {"n": 1}


@pytest.mark.parametrize(
    "fake",
    [Error("CardDeclined", "no funds"), lambda _: (_ for _ in ()).throw(Error("CardDeclined", "no funds"))],
)
def test_an_error_is_raised_whether_given_or_raised(fake: Any) -> None:
    assert run_machine(CAUGHT, fakes={"Call": fake}).output == {"Error": "CardDeclined", "Cause": "no funds"}


def test_any_exception_is_an_error_of_its_class_with_a_cause_as_on_lambda() -> None:
    def fake(arguments: Any) -> None:
        raise KeyError("sku")

    output = run_machine(CAUGHT, fakes={"Call": fake}).output
    cause = json.loads(output["Cause"])

    assert output["Error"] == "KeyError"
    assert (cause["errorType"], cause["errorMessage"]) == ("KeyError", "'sku'")
    assert "test_fakes.py" in cause["stackTrace"][0]
    assert len(cause["stackTrace"]) == 1


def test_a_class_of_exceptions_is_raised() -> None:
    assert run_machine(CAUGHT, fakes={"Call": ConnectionError}).output["Error"] == "ConnectionError"


def test_a_list_gives_one_result_per_call_and_its_last_for_all_later_ones() -> None:
    definition = machine(*((name, call("f", Output="{% $states.result.Payload %}")) for name in "abcd"))

    run = run_machine(definition, fakes={"f": ["first", lambda _: "second", "last"]})

    assert [each.result["Payload"] for each in run.calls] == ["first", "second", "last", "last"]


def test_an_empty_list_is_refused_with_how_to_return_one() -> None:
    with pytest.raises(UsageError, match=r"to return a list write \[\[\]\]"):
        run_machine(DEFINITION, fakes={"f": []})
    assert run_machine(DEFINITION, fakes={"f": [[]]}).output == []


def test_a_result_that_is_no_json_fails_the_task() -> None:
    run = run_machine(DEFINITION, fakes={"Call": {"Payload": object()}})

    assert run.status == "FAILED"
    assert "JSON" in str(run.cause)


def test_an_assertion_in_a_fake_fails_the_test_and_is_caught_by_no_catcher() -> None:
    def fake(arguments: Any) -> None:
        assert arguments["Payload"] == "what the test expects"

    with pytest.raises(AssertionError, match="what the test expects"):
        run_machine(CAUGHT, fakes={"Call": fake})


def test_pytest_fail_in_a_fake_fails_the_test() -> None:
    def fake(arguments: Any) -> None:
        pytest.fail("must not be called")

    with pytest.raises(pytest.fail.Exception, match="must not be called"):
        run_machine(CAUGHT, fakes={"Call": fake})
