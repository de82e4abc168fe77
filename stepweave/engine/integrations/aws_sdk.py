"""``aws-sdk:SERVICE:ACTION``, and the optimized calls of DynamoDB, EventBridge, SNS and SQS, through boto3.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

import asyncio
import difflib
import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

from stepweave.engine.execution import machine_arn
from stepweave.engine.failures import RUNTIME, StateError
from stepweave.engine.integrations import aws_errors
from stepweave.engine.integrations.aws_names import optimized_member, sdk_member, sdk_service
from stepweave.engine.integrations.aws_shapes import Arguments, Mistake, Spelling, constants, result_of
from stepweave.engine.integrations.base import TOKEN_SUFFIX, Call, Integration
from stepweave.engine.integrations.dates import milliseconds, timestamp
from stepweave.engine.machine import Task
from stepweave.engine.payload import to_text
from stepweave.errors import Problem, UsageError

ACCOUNT = "123456789012"
REGION = "us-east-1"
INSTALL = "pip install 'stepweave[services]'"

_DOOR = "stepweave.engine.integrations.aws_world"
_OPTIMIZED_CALLS = (
    "dynamodb:getItem",
    "dynamodb:putItem",
    "dynamodb:updateItem",
    "dynamodb:deleteItem",
    "events:putEvents",
    "sns:publish",
    "sqs:sendMessage",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """How a kind of integration writes things."""

    spelling: Spelling
    dates: Callable[[float], Any]
    texts: frozenset[str] = frozenset()
    """String members that take any data."""


_SDK = _Style(spelling=sdk_member, dates=timestamp)
_OPTIMIZED = _Style(
    spelling=optimized_member, dates=milliseconds, texts=frozenset({"Detail", "Message", "MessageBody"})
)


class AwsServices:
    """The AWS that tasks call. boto3 and moto are loaded when the first one does."""

    def __init__(
        self, *, endpoint: str | None = None, region: str = REGION, account: str = ACCOUNT, seed: int = 0
    ) -> None:
        """``endpoint``: the URL of an AWS, real or local, or ``aws`` for the real one; None for one in this process, empty
        at first, whose resources belong to ``account`` and whose ids follow from ``seed``.
        """
        self._options: dict[str, Any] = {
            "endpoint": endpoint, "region": region, "account": account, "seed": seed
        }  # fmt: skip

    def client(self, service: str) -> Any:
        """The boto3 client of a service, to look into this AWS or to change it."""
        return self.world.client(service)

    def prepare(self, calls: Iterable[Mapping[str, Any]]) -> list[Any]:
        """The results of calls made now, to create what a machine needs: ``{"call": "SERVICE:ACTION", "arguments": {…}}``,
        named as in an aws-sdk integration.

        Raises ``UsageError`` for a call that cannot be made or that fails.
        """
        return [self._prepare(index, call) for index, call in enumerate(calls)]

    def integrations(self) -> dict[str, Integration]:
        """What serves ``aws-sdk:*`` and the optimized calls, for :class:`~stepweave.engine.engine.Engine`."""
        optimized = OptimizedCall(self)
        return {"aws-sdk:*": SdkCall(self), **dict.fromkeys(_OPTIMIZED_CALLS, optimized)}

    @cached_property
    def door(self) -> ModuleType | None:
        """The module that knows boto3; None where that is not installed."""
        try:
            return importlib.import_module(_DOOR)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("boto3", "botocore"):
                raise
            return None

    @cached_property
    def world(self) -> Any:
        """The clients."""
        door = self.door
        if door is None or not door.is_available(self._options["endpoint"]):
            raise UsageError(f"calls of AWS services need packages that are not installed: {INSTALL}")
        return door.AwsWorld(**self._options)

    def call(self, service: str, action: str, request: Mapping[str, Any]) -> Any:
        """Botocore's answer; raises its exceptions."""
        client = self.client(service)
        operation = _operation(self.door, service, action)
        # The method whose name botocore derives from the operation.
        method = next(
            name for name, known in client.meta.method_to_api_mapping.items() if known == operation.name
        )
        return getattr(client, method)(**request)

    def _prepare(self, index: int, call: Mapping[str, Any]) -> Any:
        what = f"call {index + 1} of the set-up, {call.get('call')!r},"
        service, _, action = str(call.get("call", "")).removeprefix("aws-sdk:").partition(":")
        self.world  # noqa: B018 - says what is not installed
        if problem := _unknown_call(self.door, service, action):
            raise UsageError(f"{what} cannot be made: {problem}")
        try:
            return _Exchange(self, service, action, _SDK).run(call.get("arguments") or {})
        except StateError as error:
            raise UsageError(f"{what} failed: {error}") from error


class _Exchange:
    """One call of an action."""

    def __init__(self, services: AwsServices, service: str, action: str, style: _Style) -> None:
        self._services = services
        self._service = service
        self._action = action
        self._style = style
        door = services.door
        assert door is not None
        self._door = door
        self._operation = _operation(door, service, action)
        self._model = self._operation.service_model

    def run(self, arguments: Any) -> Any:
        """The result as a task sees it; raises ``StateError``."""
        request = self.request(arguments)
        door = self._door
        try:
            response = self._services.call(self._service, self._action, request)
            return self.result(response)
        except door.ClientError as error:
            if self._style is _OPTIMIZED:
                raise aws_errors.of_optimized(self._service, self._model, error.response) from error
            raise aws_errors.of_sdk(self._model, error.response) from error
        except door.BotoCoreError as error:
            connecting = not isinstance(error, door.ParamValidationError)
            raise aws_errors.of_client(*self._names(), error, connecting=connecting) from error

    def request(self, arguments: Any) -> dict[str, Any]:
        """The arguments as botocore takes them."""
        mistakes, request = _read(self._operation, arguments, self._style)
        if mistakes:
            texts = ", ".join(mistake.text for mistake in mistakes)
            cause = f"The Parameters '{to_text(arguments)}' could not be used to start the Task: [{texts}]"
            raise StateError(RUNTIME, cause)
        return request

    def result(self, response: Mapping[str, Any]) -> dict[str, Any]:
        """The response in the names and types of a task."""
        answer = (
            result_of(self._operation.output_shape, response, self._style.spelling, self._style.dates) or {}
        )
        if self._style is _OPTIMIZED:
            metadata = response.get("ResponseMetadata", {})
            answer["SdkHttpMetadata"] = {"HttpStatusCode": metadata.get("HTTPStatusCode", 200)}
            answer["SdkResponseMetadata"] = {"RequestId": metadata.get("RequestId", "")}
        return dict(sorted(answer.items()))

    def _names(self) -> tuple[str, str]:
        """How errors begin, and the service's own."""
        if self._style is _OPTIMIZED:
            naming = aws_errors.OPTIMIZED[self._service]
            return naming.prefix, naming.own
        service = sdk_service(self._model.service_id)
        return service, f"{service}Exception"


class SdkCall(Integration):
    """``aws-sdk:SERVICE:ACTION``."""

    style = _SDK

    def __init__(self, services: AwsServices) -> None:
        self._services = services

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        service, action = _call_of(task.resource)
        door = self._services.door
        unknown = _unknown_call(door, service, action)
        if door is None or unknown:
            yield unknown or Problem(
                code="services-extra",
                what="calls of AWS services need packages that are not installed",
                got=task.resource,
                fix=f"{INSTALL}, or mock the state",
            )
            return
        if task.arguments is not None:
            operation = _operation(door, service, action)
            for mistake in _read(operation, constants(task.arguments), self.style)[0]:
                yield Problem(
                    code="unknown-argument",
                    what=f"Arguments do not fit {service}:{action}: {mistake.text}",
                    expected=mistake.expected,
                    got=mistake.path,
                    fix=mistake.fix,
                )

    async def run(self, call: Call) -> Any:
        exchange = _Exchange(self._services, *_call_of(call.resource), self.style)
        arguments = self.arguments(call)
        if self._services.world.blocking:
            return self.accept(await asyncio.to_thread(exchange.run, arguments))
        # Siblings and a cancellation get their turn before each call, since none comes during one.
        await asyncio.sleep(0)
        return self.accept(exchange.run(arguments))

    def arguments(self, call: Call) -> Any:
        """What is sent."""
        return call.arguments

    def accept(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The result; raises ``StateError`` for an answer that means a failure."""
        return answer


class OptimizedCall(SdkCall):
    """``dynamodb``, ``events``, ``sns`` and ``sqs`` as optimized integrations."""

    style = _OPTIMIZED

    def arguments(self, call: Call) -> Any:
        """What is sent; events tell what sent them:
        https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html.
        """
        entries = call.arguments.get("Entries") if isinstance(call.arguments, dict) else None
        if not isinstance(entries, list):
            return call.arguments
        sources = [machine_arn(call.execution.machine), call.execution.arn]
        return {
            **call.arguments,
            "Entries": [
                {**entry, "Resources": [*(entry.get("Resources") or ()), *sources]}
                if isinstance(entry, dict)
                else entry
                for entry in entries
            ],
        }

    def accept(self, answer: dict[str, Any]) -> dict[str, Any]:
        if answer.get("FailedEntryCount", 0) > 0:
            cause = {field: answer[field] for field in ("Entries", "FailedEntryCount")}
            raise StateError("EventBridge.FailedEntry", to_text(cause))
        return answer


def _call_of(resource: str) -> tuple[str, str]:
    service, _, action = resource.removeprefix("aws-sdk:").removesuffix(TOKEN_SUFFIX).partition(":")
    return service, action


def _operation(door: ModuleType | None, service: str, action: str) -> Any:
    assert door is not None
    return door.operation(door.service_model(service), action)


def _read(operation: Any, arguments: Any, style: _Style) -> tuple[Sequence[Mistake], dict[str, Any]]:
    """What is wrong with arguments, and what they are for botocore."""
    reader = Arguments(style.spelling, texts=style.texts)
    if operation.input_shape is None:
        return reader.mistakes, {}
    try:
        request = reader.read(operation.input_shape, arguments)
    except RecursionError as error:
        raise StateError(RUNTIME, "The Parameters are nested too deep to start the Task") from error
    return reader.mistakes, request


def _unknown_call(door: ModuleType | None, service: str, action: str) -> Problem | None:
    """The problem of a service or an action that AWS does not have."""
    if door is None:
        return None
    model = door.service_model(service)
    if model is None:
        known, got = door.services(), service
        what = "the Resource names no service of AWS"
    elif door.operation(model, action) is None:
        known, got = door.actions(model), action
        what = f"the Resource names no action of {service}"
    else:
        return None
    close = difflib.get_close_matches(got, known, n=3)
    return Problem(
        code="unknown-resource", what=what, expected=" or ".join(close) or f"one of {len(known)}", got=got
    )
