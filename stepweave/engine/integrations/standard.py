"""`Standard`: every integration of this package, wired for one engine.

The one place that knows them all. What only some machines need is loaded when a task of an engine needs it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepweave.engine.integrations.activity import Activities
from stepweave.engine.integrations.aws_sdk import aws_integrations
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.integrations.background import Background
from stepweave.engine.integrations.base import Call, Integration
from stepweave.engine.integrations.batch_submit import OnJobLog, batch_integrations
from stepweave.engine.integrations.ecs_run import TaskDefinition, ecs_integrations
from stepweave.engine.integrations.lambda_invoke import Function, lambda_integrations
from stepweave.engine.integrations.sfn_api import PREFIX, EngineApi, StepFunctionsApi
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.engine.jobs import JobDefinition
from stepweave.engine.machine import Task
from stepweave.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What tasks can call."""

    functions: Mapping[str, Function] = field(default_factory=dict)
    """Lambda functions by name; handlers of their own come from ``handlers.Handlers``."""
    job_definitions: Mapping[str, JobDefinition] = field(default_factory=dict)
    """Batch job definitions by name."""
    on_job_log: OnJobLog | None = None
    """Told what Batch jobs print."""
    max_vcpus: float | None = None
    """What all running jobs may declare together; None: no limit."""
    task_definitions: Mapping[str, TaskDefinition] = field(default_factory=dict)
    """ECS task definitions by family."""
    activities: Collection[str] = ()
    """Activities by name; with none, a definition may name any."""
    services: AwsServices = field(default_factory=AwsServices)
    """The AWS behind ``aws-sdk`` and the optimized calls of DynamoDB, EventBridge, SNS and SQS."""
    http_hosts: Collection[str] = ()
    """Hosts that HTTP tasks may call besides this machine."""
    http_endpoints: Mapping[str, str] = field(default_factory=dict)
    """Where requests go that begin with a key, e.g. ``{"https://api.example.com": "http://127.0.0.1:8080"}``."""
    integrations: Mapping[str, Integration] = field(default_factory=dict)
    """More integrations by resource; they come before the ones here: S3 over a folder, mocks."""


class Standard:
    """The integrations of one engine, and what stands behind them."""

    def __init__(self, world: World) -> None:
        self.background = Background()
        """Jobs and functions that no task waits for."""
        self.activities = Activities(world.activities, closed=bool(world.activities))
        self.services = world.services
        self._api = StepFunctionsApi()
        self.integrations: dict[str, Integration] = self._wire(world)
        """For the engine, by resource."""

    def connect(self, engine: EngineApi) -> None:
        """Let ``aws-sdk:sfn`` tasks speak to the engine that has these integrations: once, before it runs."""
        self._api.connect(engine)

    async def settle(self) -> None:
        """Return when the jobs and functions that no task waited for have ended."""
        await self.background.settle()

    async def close(self) -> None:
        """Stop them."""
        await self.background.close()

    def _wire(self, world: World) -> dict[str, Integration]:
        def http() -> Integration:
            module = importlib.import_module("stepweave.engine.integrations.http_invoke")
            invoke: Integration = module.HttpInvoke(
                allowed_hosts=world.http_hosts, endpoints=world.http_endpoints
            )
            return invoke

        return {
            **lambda_integrations(world.functions, self.background),
            **start_execution_integrations(),
            **batch_integrations(
                world.job_definitions,
                max_vcpus=world.max_vcpus,
                on_log=world.on_job_log,
                background=self.background,
            ),
            **ecs_integrations(world.task_definitions, background=self.background),
            **aws_integrations(world.services),
            f"{PREFIX}*": self._api,
            "activity": self.activities,
            "http:invoke": Deferred(http),
            **world.integrations,
        }


class Deferred(Integration):
    """An integration that is made when the first task needs it."""

    def __init__(self, make: Callable[[], Integration]) -> None:
        self._make = make
        self._made: Integration | None = None

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        return self._integration().check(task, machines)

    async def run(self, call: Call) -> Any:
        return await self._integration().run(call)

    def _integration(self) -> Integration:
        if self._made is None:
            self._made = self._make()
        return self._made


def standard_integrations(world: World | None = None) -> Standard:
    """The integrations of an engine whose tasks call ``world``; without one, what needs no set-up."""
    return Standard(world or World())
