"""A function called by another part of the layer, without the way through HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ministack.services import lambda_svc

from stepweave.local_aws.layer.scope import local_account


class LambdaError(Exception):
    """The service refused the call: there is no such function, or too many calls at a time."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked:
    """The answer of a function."""

    payload: bytes
    """JSON: its value, or the error object."""
    function_error: str | None
    """``Unhandled`` when it failed."""
    executed_version: str


def invoke(function_ref: str, payload: bytes, qualifier: str = "") -> Invoked:
    """Call a function by name or ARN and wait; raises :class:`LambdaError`. Blocks: call it in a thread."""
    arn = _qualified(function_ref, qualifier)
    with local_account():
        record, config, name = lambda_svc._get_func_record_for_ref(arn)
        if not record or not config:
            raise LambdaError("ResourceNotFoundException", f"Function not found: {arn}")
        called = {**config, "FunctionArn": arn if arn.startswith("arn:") else lambda_svc._func_arn(name)}
        call = lambda_svc._execution_record_for_config(record, called)
        result = lambda_svc._execute_function(call, json.loads(payload or b"null"))
    if result.get("throttle"):
        raise LambdaError("TooManyRequestsException", str(result["body"]["message"]))
    return Invoked(
        payload=json.dumps(result.get("body"), ensure_ascii=False).encode("utf-8", "surrogatepass"),
        function_error=(result.get("function_error") or "Unhandled") if result.get("error") else None,
        executed_version=str(config.get("Version", "$LATEST")),
    )


def _qualified(function_ref: str, qualifier: str) -> str:
    """The reference with its qualifier, unless it has one.

    >>> _qualified("score", "live"), _qualified("score:3", ""), _qualified("score:3", "live")
    ('score:live', 'score:3', 'score:3')
    """
    has_one = ":" in function_ref.split(":function:")[-1]
    return function_ref if has_one or not qualifier else f"{function_ref}:{qualifier}"
