"""Python functions by name, and how their exceptions look to a state machine."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import traceback
from collections.abc import Callable
from typing import Any

from stepweave.engine.failures import FunctionError

_ENGINE = os.path.dirname(__file__)

_STACK_FRAMES = 50
"""Innermost frames that a cause keeps: it holds 32,768 characters in all."""


def resolve(name: str) -> Any:
    """The object that ``module:qualname`` names.

    >>> resolve("json:dumps")({})
    '{}'
    """
    module, _, qualname = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def resolve_handler(name: str) -> Any:
    """The handler that ``module:qualname`` names; raises ``FunctionError`` with Lambda's errors when there is none.

    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    try:
        return resolve(name)
    except ImportError as error:
        text = f"Unable to import module '{name.partition(':')[0]}': {error}"
        raise _runtime_error("Runtime.ImportModuleError", text) from error
    except AttributeError as error:
        text = f"Handler '{name.partition(':')[2]}' missing on module '{name.partition(':')[0]}'"
        raise _runtime_error("Runtime.HandlerNotFound", text) from error


def _runtime_error(name: str, text: str) -> FunctionError:
    return FunctionError(name, json.dumps({"errorMessage": text, "errorType": name, "stackTrace": []}))


class InlineFunction:
    """A Python function called in this process: it blocks the engine, which is what a debugger wants."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    async def __call__(self, event: Any) -> Any:
        # Siblings and a cancellation get their turn before each call, since none comes during one.
        await asyncio.sleep(0)
        try:
            return self._function(json.loads(json.dumps(event)))
        except SystemExit as error:
            raise FunctionError(*failure(error)) from error


def failure(error: BaseException) -> tuple[str, str]:
    """The error name and the cause that Lambda gives an exception.

    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    if isinstance(error, SystemExit):
        text = f"the function exited with status {error.code}"
        return "Runtime.ExitError", json.dumps({"errorMessage": text, "errorType": "Runtime.ExitError"})
    name = type(error).__name__
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_ENGINE)
    ]
    cause = {
        "errorMessage": str(error),
        "errorType": name,
        "stackTrace": traceback.format_list(frames[-_STACK_FRAMES:]),
    }
    return name, json.dumps(cause, ensure_ascii=False)
