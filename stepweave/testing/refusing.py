"""`refused`: what a test must not call by accident."""

from __future__ import annotations

from collections.abc import Iterable

from stepweave.engine.integrations.aws_sdk import aws_integrations
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.integrations.base import Integration
from stepweave.engine.machine import Task
from stepweave.errors import Problem


class _Refused(Integration):
    """Serves nothing, and says so before anything runs."""

    def __init__(self, what: str, fix: str) -> None:
        self._what = what
        self._fix = fix

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        """The problem that the task has no fake."""
        fix = f'give fakes={{"{task.name}": …}} or {self._fix}'
        yield Problem(code="no-fake", what=self._what, got=task.resource, fix=fix)


def refused(*, services: bool, http: bool) -> dict[str, Integration]:
    """What goes before the standard integrations, as asked for: the ``services`` of AWS, and ``http`` requests."""
    found: dict[str, Integration] = {}
    if services:
        called = _Refused("the service of AWS is not there", "services=AwsServices()")
        found |= dict.fromkeys(aws_integrations(AwsServices()), called)
    if http:
        found["http:invoke"] = _Refused(
            "an HTTP request takes real time, which this run does not", "real_time=True"
        )
    return found
