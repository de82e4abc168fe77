"""`build`: the engine for a run of somebody's state machines, everything that their tasks call connected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from stepweave.engine.clock import Clock
from stepweave.engine.engine import Engine
from stepweave.engine.events import Listener
from stepweave.engine.integrations.base import Integration
from stepweave.engine.integrations.lambda_invoke import Function, lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.engine.machine import Machine
from stepweave.engine.mocks import Placed
from stepweave.engine.objects import Objects
from stepweave.errors import DefinitionError, Problem

_NOT_SERVED = "unknown-resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a run needs."""

    machines: Mapping[str, Machine]
    """By name."""
    clock: Clock
    functions: Mapping[str, Function] = field(default_factory=dict)
    mocks: Placed = field(default_factory=Placed)
    objects: Objects | None = None
    """What distributed maps and ``aws-sdk:s3`` tasks read and write."""
    endpoint: str | None = None
    """URL of an AWS that serves what nothing else does."""
    seed: int = 0
    listeners: tuple[Listener, ...] = ()


def build(setup: Setup, *, advice: str) -> Engine:
    """The engine. Raises ``DefinitionError`` for every task that nothing serves; ``advice`` says what to do then."""
    try:
        return Engine(
            setup.machines,
            _integrations(setup),
            clock=setup.clock,
            seed=setup.seed,
            listeners=setup.listeners,
            objects=setup.objects,
        )
    except DefinitionError as error:
        raise DefinitionError(_advised(error.problems, advice)) from error


def _integrations(setup: Setup) -> dict[str, Integration]:
    functions = {**setup.functions, **setup.mocks.functions}
    return {
        **lambda_integrations(functions),
        **start_execution_integrations(),
        **setup.mocks.integrations,
    }


def _advised(problems: Iterable[Problem], advice: str) -> Iterable[Problem]:
    """The problems, those of tasks that nothing serves with what to do."""
    for problem in problems:
        if problem.code != _NOT_SERVED:
            yield problem
        elif problem.what.startswith("the Resource"):
            yield replace(problem, what="nothing here serves this Resource", expected=None, fix=advice)
        else:
            yield replace(problem, fix=advice)
