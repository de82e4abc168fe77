"""`endpoint_integrations`: what nothing on this machine serves, called at an AWS behind an endpoint."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any

from stepweave.engine.failures import StateError
from stepweave.engine.integrations.aws_sdk import SdkCall
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.integrations.base import Call, Integration, unusable
from stepweave.engine.integrations.lambda_invoke import Function, error_type, lambda_integrations
from stepweave.engine.integrations.names import known_name
from stepweave.engine.machine import Task
from stepweave.engine.payload import to_text
from stepweave.errors import Problem

_FUNCTION = "lambda:function"
_WAITS = (".sync", ".sync:2")


def endpoint_integrations(services: AwsServices, functions: Mapping[str, Function]) -> dict[str, Integration]:
    """Lambda functions that are not among ``functions``, and every other call that is not waited for."""
    serving = lambda_integrations(functions)
    return {
        **{resource: _EndpointFunction(services, functions, here) for resource, here in serving.items()},
        "*": _EndpointCall(services),
    }


class _EndpointCall(SdkCall):
    """``SERVICE:ACTION`` of any service."""

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        if task.resource.endswith(_WAITS):
            yield Problem(
                code="unknown-resource",
                what="the Resource waits for what it starts, which is not done at an endpoint",
                got=task.resource,
            )
        else:
            yield from super().check(task, machines)


class _EndpointFunction(Integration):
    """Functions given here, and beyond them those of the AWS."""

    def __init__(self, services: AwsServices, functions: Mapping[str, Function], here: Integration) -> None:
        self._services = services
        self._functions = functions
        self._here = here

    async def run(self, call: Call) -> Any:
        bare = call.resource == _FUNCTION
        arguments = call.arguments if isinstance(call.arguments, dict) else {}
        name = call.target if bare else arguments.get("FunctionName")
        if known_name(name, self._functions) is not None:
            return await self._here.run(call)
        if not isinstance(name, str):
            raise unusable(call.arguments, "The value for the field 'FunctionName' must be a STRING")
        request = {"FunctionName": name, "Payload": call.arguments} if bare else arguments
        answer = await asyncio.to_thread(self._invoke, request)
        return answer["Payload"] if bare else answer

    def _invoke(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Lambda's answer; raises ``StateError`` with the function's error, or Lambda's."""
        payload = arguments.get("Payload")
        request = {name: value for name, value in arguments.items() if value is not None}
        request["Payload"] = to_text({} if payload is None else payload).encode()
        try:
            answer = self._services.client("lambda").invoke(**request)
            text = answer["Payload"].read().decode()
        except Exception as error:
            # botocore's errors, whose classes are known only where it is loaded.
            response = getattr(error, "response", None)
            code = response.get("Error", {}).get("Code") if isinstance(response, Mapping) else None
            raise StateError(f"Lambda.{code or 'SdkClientException'}", str(error)) from error
        if answer.get("FunctionError"):
            raise StateError(error_type(text), text)
        result = {"Payload": json.loads(text) if text else "", "StatusCode": answer["StatusCode"]}
        return {"ExecutedVersion": answer.get("ExecutedVersion", "$LATEST"), **result}
