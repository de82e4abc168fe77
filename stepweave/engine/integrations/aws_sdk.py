"""``aws-sdk:SERVICE:ACTION``, and the optimized calls of DynamoDB, EventBridge, SNS and SQS.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from stepweave.engine.failures import StateError
from stepweave.engine.integrations.aws_action import OPTIMIZED, SDK
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.integrations.aws_shapes import constants
from stepweave.engine.integrations.base import TOKEN_SUFFIX, Call, Integration
from stepweave.engine.machine import Task
from stepweave.engine.payload import to_text
from stepweave.errors import DefinitionError, Problem

_OPTIMIZED_CALLS = (
    "dynamodb:getItem",
    "dynamodb:putItem",
    "dynamodb:updateItem",
    "dynamodb:deleteItem",
    "events:putEvents",
    "sns:publish",
    "sqs:sendMessage",
)


class SdkCall(Integration):
    """``aws-sdk:SERVICE:ACTION``."""

    style = SDK

    def __init__(self, services: AwsServices) -> None:
        self._services = services

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        service, action = _call_of(task.resource)
        try:
            known = self._services.action(service, action, self.style)
        except DefinitionError as error:
            yield from error.problems
            return
        for mistake in known.mistakes(constants(task.arguments)):
            yield Problem(
                code="unknown-argument",
                what=f"Arguments do not fit {service}:{action}: {mistake.text}",
                expected=mistake.expected,
                got=mistake.path,
                fix=mistake.fix,
            )

    async def run(self, call: Call) -> Any:
        service, name = _call_of(call.resource)
        action = self._services.action(service, name, self.style)
        arguments = self.arguments(call)
        if self._services.blocking:
            return self.accept(await asyncio.to_thread(self._services.run, action, service, arguments))
        # Siblings and a cancellation get their turn before each call, since none comes during one.
        await asyncio.sleep(0)
        return self.accept(self._services.run(action, service, arguments))

    def arguments(self, call: Call) -> Any:
        """What is sent."""
        return call.arguments

    def accept(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The result; raises ``StateError`` for an answer that means a failure."""
        return answer


class OptimizedCall(SdkCall):
    """``dynamodb``, ``events``, ``sns`` and ``sqs`` as optimized integrations."""

    style = OPTIMIZED

    def arguments(self, call: Call) -> Any:
        """What is sent; an event also names what sent it.

        https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html
        """
        entries = call.arguments.get("Entries") if isinstance(call.arguments, dict) else None
        if not isinstance(entries, list):
            return call.arguments
        sources = [call.execution.machine_arn, call.execution.arn]
        return {**call.arguments, "Entries": [_with_resources(entry, sources) for entry in entries]}

    def accept(self, answer: dict[str, Any]) -> dict[str, Any]:
        if answer.get("FailedEntryCount", 0) > 0:
            cause = {field: answer[field] for field in ("Entries", "FailedEntryCount")}
            raise StateError("EventBridge.FailedEntry", to_text(cause))
        return answer


def _with_resources(entry: Any, sources: list[str]) -> Any:
    if not isinstance(entry, dict):
        return entry
    given = entry.get("Resources")
    return {**entry, "Resources": [*given, *sources] if isinstance(given, list) else sources}


def _call_of(resource: str) -> tuple[str, str]:
    service, _, action = resource.removeprefix("aws-sdk:").removesuffix(TOKEN_SUFFIX).partition(":")
    return service, action


def aws_integrations(services: AwsServices) -> dict[str, Integration]:
    """``aws-sdk:*`` and the optimized calls, for :class:`~stepweave.engine.engine.Engine`."""
    optimized = OptimizedCall(services)
    return {"aws-sdk:*": SdkCall(services), **dict.fromkeys(_OPTIMIZED_CALLS, optimized)}
