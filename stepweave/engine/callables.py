"""Python functions by name, and how their exceptions look to a state machine."""

from __future__ import annotations

import importlib
import json
import traceback
from typing import Any

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


def failure(error: BaseException) -> tuple[str, str]:
    """The error name and the cause that Lambda gives an exception.

    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    if isinstance(error, SystemExit):
        text = f"the function exited with status {error.code}"
        return "Runtime.ExitError", json.dumps({"errorMessage": text, "errorType": "Runtime.ExitError"})
    name = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)[-_STACK_FRAMES:]
    cause = {"errorMessage": str(error), "errorType": name, "stackTrace": traceback.format_list(frames)}
    return name, json.dumps(cause, ensure_ascii=False)
