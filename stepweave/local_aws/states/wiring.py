"""`integrations`: what Tasks call, wired to the local AWS."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from stepweave.engine.integrations.activity import Activities
from stepweave.engine.integrations.aws_sdk import aws_integrations
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.integrations.base import Integration
from stepweave.engine.integrations.standard import Deferred
from stepweave.local_aws.states.calls import InRealTime, InvokeFunction, Speed, SubmitJob
from stepweave.local_aws.states.emulator import Functions, Jobs
from stepweave.local_aws.states.nested_calls import StartExecution
from stepweave.local_aws.states.permissions import Allowed, Permitted
from stepweave.local_aws.states.service import States


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What is beside Step Functions in the local AWS."""

    functions: Functions
    jobs: Jobs
    services: AwsServices
    activities: Activities
    allowed: Allowed = field(default=lambda role, action, resource: True)
    """Whether a role allows an action on a resource."""


def integrations(
    neighbours: Neighbours, states: Callable[[], States], speed: Speed
) -> Mapping[str, Integration]:
    """For every engine, by resource; ``states`` gives the service that starts nested executions."""

    def http() -> Integration:
        module = importlib.import_module("stepweave.engine.integrations.http_invoke")
        invoke: Integration = module.HttpInvoke(allowed_hosts=(), endpoints={})
        return invoke

    allowed = neighbours.allowed
    invoke = Permitted(InRealTime(InvokeFunction(neighbours.functions), speed), allowed)
    submit = Permitted(InRealTime(SubmitJob(neighbours.jobs), speed), allowed)
    nested = Permitted(StartExecution(states), allowed)
    services = {
        resource: InRealTime(integration, speed)
        for resource, integration in aws_integrations(neighbours.services).items()
    }
    return {
        **services,
        "lambda:invoke": invoke,
        "lambda:function": invoke,
        "batch:submitJob": submit,
        "batch:submitJob.sync": submit,
        **{f"states:startExecution{pattern}": nested for pattern in ("", ".sync", ".sync:2")},
        "activity": neighbours.activities,
        "http:invoke": InRealTime(Deferred(http), speed),
    }
