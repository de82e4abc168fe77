"""Step Functions as boto3 shows it, over the executions of an engine: the same runs, as seen from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from stepweave.embedded import machine_run
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution


class EngineAsStepFunctions:
    """The calls of a Step Functions client that only look."""

    def __init__(self, engine: Engine, page: int = 1000) -> None:
        self.engine, self.page = engine, page
        self.calls: list[str] = []
        self.shown: dict[str, int] = {}
        """How many events of an execution there are to see, by ARN; all of them where it is not said."""

    @property
    def root(self) -> Execution:
        """The first execution."""
        return next(iter(self.engine.executions.values()))

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        self.calls.append("describe_execution")
        said = self.engine.describe(executionArn.rpartition(":")[2])
        dates = {name: moment(said[name]) for name in ("startDate", "stopDate") if name in said}
        shown = self.shown.get(executionArn)
        if shown is not None and shown < len(self._execution(executionArn).history):
            dates.pop("stopDate", None)
            said = {**said, "status": "RUNNING"}
        return {**said, **dates}

    def get_execution_history(
        self,
        executionArn: str,  # noqa: N803
        maxResults: int,  # noqa: N803
        includeExecutionData: bool,  # noqa: N803
        reverseOrder: bool,  # noqa: N803
        nextToken: str = "0",  # noqa: N803
    ) -> dict[str, Any]:
        self.calls.append("get_execution_history")
        assert includeExecutionData
        recorded = self._execution(executionArn).history.events()
        events = [dict(event, timestamp=moment(event["timestamp"])) for event in recorded]
        events = events[: self.shown.get(executionArn, len(events))]
        ordered = events[::-1] if reverseOrder else events
        begin, size = int(nextToken), min(maxResults, self.page)
        page: dict[str, Any] = {"events": ordered[begin : begin + size]}
        return page | ({"nextToken": str(begin + size)} if begin + size < len(ordered) else {})

    def list_executions(self, mapRunArn: str, maxResults: int, **more: Any) -> dict[str, Any]:  # noqa: N803
        self.calls.append("list_executions")
        found = [each for each in self.engine.executions.values() if each.map_run == mapRunArn]
        return {"executions": [{"executionArn": each.arn} for each in reversed(found)][:maxResults]}

    def _execution(self, arn: str) -> Execution:
        return self.engine.executions[arn.rpartition(":")[2]]


class Clients:
    """Clients by service."""

    def __init__(self, clients: Mapping[str, Any], region: str = "eu-central-1") -> None:
        self._clients, self.region = clients, region

    def client(self, service: str) -> Any:
        return self._clients[service]


@contextmanager
def engines_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Engine]]:
    """The engines of the runs on this machine that go on inside, in order."""
    kept: list[Engine] = []

    class Kept(Engine):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            kept.append(self)

    with monkeypatch.context() as patched:
        patched.setattr(machine_run, "Engine", Kept)
        yield kept


def moment(seconds: float) -> datetime:
    """A time as boto3 gives it."""
    return datetime.fromtimestamp(seconds, UTC)


def event(number: int, previous: int, kind: str, **details: Any) -> dict[str, Any]:
    """An event of a history; ``details`` are what is known of it, besides ids, type and time."""
    said: dict[str, Any] = {
        "id": number,
        "previousEventId": previous,
        "type": kind,
        "timestamp": moment(1_000_000 + number),
    }
    if details:
        name = (
            "stateEntered"
            if kind.endswith("StateEntered")
            else "stateExited"
            if kind.endswith("StateExited")
            else kind
        )
        said[f"{name[0].lower()}{name[1:]}EventDetails"] = {
            key: json.dumps(value) if key in ("input", "output", "parameters") else value
            for key, value in details.items()
        }
    return said
