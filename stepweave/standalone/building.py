"""`assemble`: the engine for a run of somebody's state machines, with everything that their tasks call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from stepweave.engine.clock import Clock
from stepweave.engine.engine import Engine
from stepweave.engine.events import Listener
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.integrations.base import Integration
from stepweave.engine.integrations.batch_submit import OnJobLog
from stepweave.engine.integrations.lambda_invoke import Function
from stepweave.engine.integrations.s3 import s3_integrations
from stepweave.engine.integrations.standard import Standard, World
from stepweave.engine.jobs import JobDefinition
from stepweave.engine.journal import Journal
from stepweave.engine.machine import Machine
from stepweave.engine.mocks import Placed
from stepweave.engine.objects import Objects
from stepweave.errors import DefinitionError, Problem
from stepweave.standalone.service_objects import ServiceObjects

_NOT_SERVED = "unknown-resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a run needs."""

    machines: Mapping[str, Machine]
    """By name."""
    clock: Clock
    functions: Mapping[str, Function] = field(default_factory=dict)
    job_definitions: Mapping[str, JobDefinition] = field(default_factory=dict)
    on_job_log: OnJobLog | None = None
    """Told what Batch jobs print."""
    integrations: Mapping[str, Integration] = field(default_factory=dict)
    """More integrations by resource; they come before the standard ones, and mocks before them."""
    mocks: Placed = field(default_factory=Placed)
    objects: Objects | None = None
    """What distributed maps read and write; ``aws-sdk:s3`` tasks too, unless they are the services' own."""
    services: AwsServices = field(default_factory=AwsServices)
    """The AWS that tasks call."""
    http_endpoints: Mapping[str, str] = field(default_factory=dict)
    """Where HTTP tasks' requests go that begin with a key."""
    seed: int = 0
    listeners: tuple[Listener, ...] = ()
    journal: Journal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """An engine, and what stands behind its tasks; that is to be settled or closed in the end."""

    engine: Engine
    standard: Standard


def assemble(setup: Setup, *, advice: str) -> Assembled:
    """The engine, connected. Raises ``DefinitionError`` for every task that nothing serves; ``advice`` says what to do
    then.
    """
    standard = Standard(_world(setup))
    try:
        engine = Engine(
            setup.machines,
            standard.integrations,
            clock=setup.clock,
            seed=setup.seed,
            listeners=setup.listeners,
            objects=setup.objects,
            journal=setup.journal,
        )
    except DefinitionError as error:
        raise DefinitionError(_advised(error.problems, advice)) from error
    standard.connect(engine)
    return Assembled(engine=engine, standard=standard)


def _world(setup: Setup) -> World:
    objects = setup.objects
    s3 = {} if objects is None or isinstance(objects, ServiceObjects) else s3_integrations(objects)
    return World(
        functions={**setup.functions, **setup.mocks.functions},
        job_definitions=setup.job_definitions,
        on_job_log=setup.on_job_log,
        services=setup.services,
        http_endpoints=setup.http_endpoints,
        integrations={**s3, **setup.integrations, **setup.mocks.integrations},
    )


def _advised(problems: Iterable[Problem], advice: str) -> Iterable[Problem]:
    """The problems, those of tasks that nothing serves with what to do."""
    for problem in problems:
        if problem.code != _NOT_SERVED:
            yield problem
        elif problem.what.startswith("the Resource"):
            yield replace(problem, what="nothing here serves this Resource", expected=None, fix=advice)
        else:
            yield replace(problem, fix=advice)
