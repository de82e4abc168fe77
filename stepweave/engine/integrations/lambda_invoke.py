"""``lambda:invoke`` (also with ``.waitForTaskToken``) and functions named by ``Resource`` itself.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeAlias

from stepweave.engine.callables import failure
from stepweave.engine.failures import FunctionError, StateError
from stepweave.engine.integrations.background import Background
from stepweave.engine.integrations.base import Call, Integration, check_name, unknown_name
from stepweave.engine.integrations.names import known_name, qualifier_of
from stepweave.engine.machine import Task
from stepweave.errors import Problem

Function: TypeAlias = Callable[[Any], Awaitable[Any]]
"""From event to result, both JSON data; it must not change the event. Its exceptions become errors as on Lambda: the
class name, and a cause with message, type and stack trace; ``failures.FunctionError`` chooses both."""

LATEST = "$LATEST"
_ACCEPTED = 202
_NO_CONTENT = 204


class LambdaInvoke(Integration):
    """Calls the function that ``FunctionName`` names and waits for its result, unless ``InvocationType`` says else."""

    def __init__(self, functions: Mapping[str, Function], background: Background | None = None) -> None:
        """``functions`` by name; ``background`` takes what is invoked as an event."""
        self._functions = functions
        self._background = background or Background()

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        yield from check_name(task.arguments, "FunctionName", self._functions, "function")

    async def run(self, call: Call) -> Any:
        arguments = call.arguments if isinstance(call.arguments, dict) else {}
        name = arguments.get("FunctionName")
        function = _find(self._functions, name)
        # Step Functions drops what is null from a request, and Lambda gives a function without payload an empty object.
        payload = arguments.get("Payload")
        event = {} if payload is None else payload
        match arguments.get("InvocationType"):
            case "DryRun":
                return {"Payload": "", "StatusCode": _NO_CONTENT}
            case "Event":
                self._background.start(_ignoring_its_error(function, event))
                return {"Payload": "", "StatusCode": _ACCEPTED}
        result = await invoke(function, event)
        version = arguments.get("Qualifier") or qualifier_of(str(name)) or LATEST
        return {"ExecutedVersion": version, "Payload": result, "StatusCode": 200}


class LambdaFunction(Integration):
    """Calls the function that ``Resource`` names: the arguments are the event, the result is the function's."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        if known_name(task.target, self._functions) is None:
            yield unknown_name("Resource", task.target, self._functions, "function")

    async def run(self, call: Call) -> Any:
        return await invoke(_find(self._functions, call.target), call.arguments)


async def invoke(function: Function, event: Any) -> Any:
    """The result of ``function`` for ``event``; raises ``StateError`` with the error as Lambda names it."""
    try:
        return await function(event)
    except FunctionError as error:
        raise StateError(error.error, error.cause) from error
    except StateError:
        raise
    except Exception as error:
        raise StateError(*failure(error)) from error


def _find(functions: Mapping[str, Function], name: object) -> Function:
    found = known_name(name, functions)
    if found is None:
        raise StateError("Lambda.ResourceNotFoundException", f"Function not found: {name}")
    return functions[found]


async def _ignoring_its_error(function: Function, event: Any) -> None:
    # Nobody waits for the result of an event; Lambda hands its error to a destination or drops it.
    with contextlib.suppress(Exception):
        await asyncio.sleep(0)
        await function(event)


def lambda_integrations(
    functions: Mapping[str, Function], background: Background | None = None
) -> dict[str, Integration]:
    """``lambda:invoke`` and ``lambda:function``, for :class:`~stepweave.engine.engine.Engine`."""
    return {
        "lambda:invoke": LambdaInvoke(functions, background),
        "lambda:function": LambdaFunction(functions),
    }


def error_type(text: str) -> str:
    """The name that Step Functions gives to the error of a function:
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html.
    """
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    name = found.get("errorType") if isinstance(found, dict) else None
    return name if isinstance(name, str) and name else "Lambda.Unknown"
