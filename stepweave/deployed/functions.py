"""`invoke`: calls a deployed function and answers what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stepweave.deployed.connecting import Clients
from stepweave.deployed.explaining import explained
from stepweave.embedded.causes import error_message
from stepweave.errors import StepweaveError, UsageError

OF_THE_USER = frozenset({"UsageError", "ParamsError", "DataError"})
"""Errors by which a function says that it was asked for something that cannot be."""


def invoke(aws: Clients, function: str, event: Mapping[str, Any], doing: str) -> dict[str, Any]:
    """The answer of ``function`` (an ARN or a name) to ``event``.

    Raises ``UsageError`` with what the function says of a wrong request, ``StepweaveError`` when it broke.
    """
    with explained(doing):
        answer = aws.client("lambda").invoke(
            FunctionName=function, InvocationType="RequestResponse", Payload=json.dumps(event).encode()
        )
        text = answer["Payload"].read()
    said = json.loads(text or b"{}")
    if answer.get("FunctionError"):
        kind = str(said.get("errorType") or "")
        message = error_message(json.dumps(said), kind) or kind
        if kind in OF_THE_USER:
            raise UsageError(message)
        raise StepweaveError(f"{doing}: the function {function} failed: {kind}: {message}; see its log")
    if not isinstance(said, dict):
        return {}
    if isinstance(said.get("error"), dict):
        # How a function refuses without failing: its failures wake people up.
        raise UsageError(str(said["error"].get("message", said["error"])))
    return said
