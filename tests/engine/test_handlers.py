"""Lambda handlers in worker processes of their own."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine.engine import Engine
from stepweave.engine.failures import FunctionError
from stepweave.engine.handlers import Handler, Handlers
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.parsing import parse
from tests.engine.building import call, machine, result_of

ROOT = Path(__file__).parents[2]
MODULE = "tests.engine.integrations.lambda_handlers"


def called(handler: Handler, event: Any = None, times: int = 1, **options: Any) -> list[Any]:
    """The results of calls of one function, one after another."""

    async def call_it() -> list[Any]:
        handlers = Handlers({"resize": handler}, path=[ROOT], **options)
        try:
            return [await handlers.functions["resize"](event) for _ in range(times)]
        finally:
            await handlers.close()

    return asyncio.run(call_it())


def failure_of(handler: Handler, event: Any = None) -> tuple[str, dict[str, Any]]:
    """The error of a call, and its cause."""
    with pytest.raises(FunctionError) as caught:
        called(handler, event)
    return caught.value.error, json.loads(caught.value.cause or "")


def test_a_handler_gets_the_event_and_a_context() -> None:
    handler = Handler(
        handler=f"{MODULE}:describe", environment={"TABLE": "t1"}, memory_mib=512, timeout_seconds=30
    )
    first, second = called(handler, {"a": 1}, times=2)
    assert (first["event"], first["name"], first["memory"]) == ({"a": 1}, "resize", "512")
    assert first["arn"].endswith(":function:resize")
    assert (first["version"], first["group"]) == ("$LATEST", "/aws/lambda/resize")
    assert (first["variable"], first["process"]) == ("t1", "resize")
    assert 0 < first["left"] <= 30_000
    assert uuid.UUID(first["request"]).version == 4
    assert first["request"] != second["request"]


def test_without_a_limit_the_context_tells_of_lambdas_longest() -> None:
    (result,) = called(Handler(handler=f"{MODULE}:describe"))
    assert 890_000 < result["left"] <= 900_000


def test_a_handler_that_takes_too_long_is_stopped_and_the_next_call_works() -> None:
    async def run() -> Any:
        handlers = Handlers({"resize": Handler(handler=f"{MODULE}:sleep", timeout_seconds=0.5)}, path=[ROOT])
        try:
            with pytest.raises(FunctionError) as caught:
                await handlers.functions["resize"](1000)
            return caught.value, await handlers.functions["resize"](0)
        finally:
            await handlers.close()

    error, result = asyncio.run(run())
    assert error.error == "Sandbox.Timedout"
    assert json.loads(error.cause)["errorMessage"].endswith("Error: Task timed out after 0.50 seconds")
    assert result == "awake"


def test_an_exception_is_its_class_name_and_a_cause() -> None:
    error, cause = failure_of(Handler(handler=f"{MODULE}:fail", timeout_seconds=30), "k")
    assert (error, cause["errorType"], cause["errorMessage"]) == ("KeyError", "KeyError", "'k'")
    assert "lambda_handlers.py" in "".join(cause["stackTrace"])


@pytest.mark.parametrize("limit", [None, 30])
def test_a_handler_that_is_not_there_has_lambdas_errors(limit: float | None) -> None:
    error, cause = failure_of(Handler(handler="no_such_module:handler", timeout_seconds=limit))
    assert error == "Runtime.ImportModuleError"
    assert (
        cause["errorMessage"] == "Unable to import module 'no_such_module': No module named 'no_such_module'"
    )
    error, cause = failure_of(Handler(handler=f"{MODULE}:gone", timeout_seconds=limit))
    assert error == "Runtime.HandlerNotFound"
    assert cause["errorMessage"] == f"Handler 'gone' missing on module '{MODULE}'"


def test_as_many_calls_go_on_at_once_as_the_function_allows() -> None:
    async def run() -> list[str]:
        handlers = Handlers({"f": Handler(handler=f"{MODULE}:sleep", concurrency=2)}, path=[ROOT])
        try:
            return await asyncio.gather(*(handlers.functions["f"](0.01) for _ in range(5)))
        finally:
            await handlers.close()

    assert asyncio.run(run()) == ["awake"] * 5


def test_a_machine_calls_handlers() -> None:
    async def run() -> Any:
        handlers = Handlers({"f": Handler(handler=f"{MODULE}:describe")}, path=[ROOT])
        definition = parse(machine(("t", call("f", {"n": 1}))), "main")
        try:
            engine = Engine({"main": definition}, lambda_integrations(handlers.functions))
            return await engine.run("main", None, "run-1")
        finally:
            await handlers.close()

    assert asyncio.run(run()).output["Payload"]["event"] == {"n": 1}


def test_inline_handlers_run_here_also_under_the_virtual_clock() -> None:
    handlers = Handlers({"f": Handler(handler=f"{MODULE}:describe")}, inline=True)
    result = result_of(machine(("t", call("f", {"n": 1}))), f=handlers.functions["f"])
    assert (result["Payload"]["event"], result["Payload"]["name"]) == ({"n": 1}, "f")
