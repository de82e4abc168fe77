"""`Action`: one action of one AWS service, as a kind of integration calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from stepweave.engine.integrations import aws_errors
from stepweave.engine.integrations.aws_names import optimized_member, sdk_member, sdk_service
from stepweave.engine.integrations.aws_shapes import Arguments, Mistake, Spelling, result_of
from stepweave.engine.integrations.base import unusable
from stepweave.engine.integrations.dates import milliseconds, timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a kind of integration writes things."""

    spelling: Spelling
    dates: Callable[[float], Any]
    texts: frozenset[str] = frozenset()
    """String members that take any data."""


SDK = Style(spelling=sdk_member, dates=timestamp)
OPTIMIZED = Style(
    spelling=optimized_member, dates=milliseconds, texts=frozenset({"Detail", "Message", "MessageBody"})
)


class Action:
    """What is called; it holds no state."""

    def __init__(self, door: ModuleType, service: str, operation: Any, style: Style) -> None:
        """``door`` is ``aws_world``, ``operation`` botocore's model of the action."""
        self._door = door
        self._service = service
        self._operation = operation
        self._model = operation.service_model
        self._style = style

    def mistakes(self, arguments: Any) -> Sequence[Mistake]:
        """What is wrong with arguments, which may hold ``aws_shapes.COMPUTED``."""
        return self._read(arguments)[0]

    def run(self, client: Any, arguments: Any) -> dict[str, Any]:
        """The result as a task sees it; raises ``StateError``."""
        mistakes, request = self._read(arguments)
        if mistakes:
            raise unusable(arguments, *(mistake.text for mistake in mistakes))
        method = getattr(client, self._door.xform_name(self._operation.name))
        try:
            return self._result(method(**request))
        except self._door.ClientError as error:
            if self._style is OPTIMIZED:
                raise aws_errors.of_optimized(self._service, self._model, error.response) from error
            raise aws_errors.of_sdk(self._model, error.response) from error
        except self._door.BotoCoreError as error:
            connecting = not isinstance(error, self._door.ParamValidationError)
            raise aws_errors.of_client(*self._names(), error, connecting=connecting) from error

    def _read(self, arguments: Any) -> tuple[Sequence[Mistake], dict[str, Any]]:
        """What is wrong with arguments, and what they are for botocore."""
        reader = Arguments(self._style.spelling, texts=self._style.texts)
        if self._operation.input_shape is None:
            return (), {}
        try:
            request = reader.read(self._operation.input_shape, arguments)
        except RecursionError as error:
            raise unusable({}, "The Parameters are nested too deep") from error
        return reader.mistakes, request

    def _result(self, response: Mapping[str, Any]) -> dict[str, Any]:
        """The response in the names and types of a task."""
        style = self._style
        answer = result_of(self._operation.output_shape, response, style.spelling, style.dates)
        answer = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
        if style is OPTIMIZED:
            metadata = response["ResponseMetadata"]
            answer["SdkHttpMetadata"] = {"HttpStatusCode": metadata.get("HTTPStatusCode")}
            answer["SdkResponseMetadata"] = {"RequestId": metadata.get("RequestId")}
        return dict(sorted(answer.items()))

    def _names(self) -> tuple[str, str]:
        """How errors begin, and the service's own."""
        if self._style is OPTIMIZED:
            naming = aws_errors.OPTIMIZED[self._service]
            return naming.prefix, naming.own
        service = sdk_service(self._model.service_id)
        return service, f"{service}Exception"
