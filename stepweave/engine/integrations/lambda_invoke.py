"""``lambda:invoke`` (also with ``.waitForTaskToken``): functions by name.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeAlias

from stepweave.engine.callables import failure
from stepweave.engine.failures import FunctionError, StateError
from stepweave.engine.integrations.base import Call, Integration, check_name
from stepweave.engine.machine import Task
from stepweave.errors import Problem

Function: TypeAlias = Callable[[Any], Awaitable[Any]]
"""From event to result, both JSON data; it must not change the event. Its exceptions become errors as on Lambda: the
class name, and a cause with message, type and stack trace; ``failures.FunctionError`` chooses both."""


class LambdaInvoke(Integration):
    """Calls a function and waits for its result."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        yield from check_name(task.arguments, "FunctionName", self._functions, "function")

    async def run(self, call: Call) -> Any:
        name = call.arguments.get("FunctionName") if isinstance(call.arguments, dict) else None
        function = self._functions.get(name) if isinstance(name, str) else None
        if function is None:
            raise StateError("Lambda.ResourceNotFoundException", f"Function not found: {name}")
        try:
            result = await function(call.arguments.get("Payload", {}))
        except FunctionError as error:
            raise StateError(error.error, error.cause) from error
        except StateError:
            raise
        except Exception as error:
            raise StateError(*failure(error)) from error
        return {"Payload": result, "StatusCode": 200}


def lambda_integrations(functions: Mapping[str, Function]) -> dict[str, Integration]:
    """``lambda:invoke``, for :class:`~stepweave.engine.engine.Engine`."""
    return {"lambda:invoke": LambdaInvoke(functions)}
