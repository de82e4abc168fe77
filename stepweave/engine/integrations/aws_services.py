"""`AwsServices`: the AWS that a machine's tasks call.

boto3 and moto are behind one door (``aws_world``), opened when a task first needs them.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from types import ModuleType
from typing import Any

from stepweave.engine.failures import StateError
from stepweave.engine.integrations.aws_action import SDK, Action, Style
from stepweave.errors import DefinitionError, Problem, UsageError

ACCOUNT = "123456789012"
REGION = "us-east-1"

_DOOR = "stepweave.engine.integrations.aws_world"


class AwsServices:
    """Clients of AWS services, and what they can do."""

    def __init__(
        self, *, endpoint: str | None = None, region: str = REGION, account: str = ACCOUNT, seed: int = 0
    ) -> None:
        """``endpoint`` is the URL of an AWS, real or local, or ``aws`` for the real one.

        Without one, an AWS in this process: empty at first, its resources belong to ``account``, and its ids follow
        from ``seed``.
        """
        self._endpoint = endpoint
        self._options = {"region": region, "account": account, "seed": seed}

    def client(self, service: str) -> Any:
        """The boto3 client of a service, to look into this AWS or to change it."""
        return self._world.client(service)

    def prepare(self, calls: Iterable[Mapping[str, Any]]) -> list[Any]:
        """The results of calls made now, to create what a machine needs.

        A call is ``{"call": "SERVICE:ACTION", "arguments": {…}}``, named as in an aws-sdk integration. Raises
        ``UsageError`` for a call that cannot be made or that fails.
        """
        return [self._prepare(index, call) for index, call in enumerate(calls, 1)]

    @property
    def blocking(self) -> bool:
        """Whether a call may take its time."""
        return self._endpoint is not None

    def action(self, service: str, action: str, style: Style = SDK) -> Action:
        """An action, ready to be called; raises ``DefinitionError`` when AWS has no such thing."""
        if (missing := self.missing) is not None:
            raise DefinitionError([missing])
        door = self._door
        assert door is not None
        model = door.service_model(service)
        operation = None if model is None else door.operation(model, action)
        if operation is not None:
            return Action(door, service, operation, style)
        what, known, got = (
            ("the Resource names no service of AWS", door.services(), service)
            if model is None
            else (f"the Resource names no action of {service}", door.actions(model), action)
        )
        close = difflib.get_close_matches(got, known, n=3)
        expected = " or ".join(close) or f"one of {len(known)}"
        raise DefinitionError([Problem(code="unknown-action", what=what, expected=expected, got=got)])

    @cached_property
    def missing(self) -> Problem | None:
        """The problem that what serves the calls is not installed."""
        if self._door is not None and self._door.is_available(self._endpoint):
            return None
        return Problem(
            code="services-extra",
            what="calls of AWS services need packages that are not installed",
            fix="pip install 'stepweave[services]', or mock the state",
        )

    def run(self, action: Action, service: str, arguments: Any) -> dict[str, Any]:
        """The result of an action of ``service``; raises ``StateError``."""
        return action.run(self.client(service), arguments)

    @cached_property
    def _door(self) -> ModuleType | None:
        """The module that knows boto3; None where that is not installed."""
        try:
            return importlib.import_module(_DOOR)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("boto3", "botocore"):
                raise
            return None

    @cached_property
    def _world(self) -> Any:
        """The clients."""
        if self.missing is not None:
            raise UsageError(str(self.missing))
        assert self._door is not None
        return self._door.AwsWorld(endpoint=self._endpoint, **self._options)

    def _prepare(self, number: int, call: Mapping[str, Any]) -> Any:
        name = str(call.get("call", ""))
        service, _, action = name.removeprefix("aws-sdk:").partition(":")
        try:
            return self.run(self.action(service, action), service, call.get("arguments") or {})
        except (DefinitionError, StateError) as error:
            raise UsageError(f"call {number} of the set-up, {name!r}, failed: {error}") from error
