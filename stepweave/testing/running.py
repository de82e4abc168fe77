"""`run_machine`: a state machine, run to its end for a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

from stepweave.engine.clock import RealClock, VirtualClock
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.mocks import place
from stepweave.errors import UsageError
from stepweave.standalone.building import Assembled, Setup, assemble
from stepweave.standalone.definitions import Definition, definition_of, to_machine
from stepweave.standalone.unending import check_endings
from stepweave.testing.buckets import BucketsLike, objects_of
from stepweave.testing.fakes import Fakes, to_function
from stepweave.testing.refusing import refused
from stepweave.testing.runs import MachineRun
from stepweave.testing.threads import in_thread_if_needed

DefinitionLike: TypeAlias = Mapping[str, Any] | str | Path | Definition
"""A definition as an object, or the path of its file; or one that was read already."""

ADVICE = (
    "give fakes={…} with the name of the state, the function or the resource, functions={…}, or machines={…}"
)


class RunOptions(TypedDict, total=False):
    """The options of :func:`run_machine`, for those who hand them on."""

    fakes: Mapping[str, Any] | None
    functions: Mapping[str, Callable[..., Any]] | None
    machines: Mapping[str, DefinitionLike] | None
    substitutions: Mapping[str, str] | None
    buckets: BucketsLike | None
    services: AwsServices | None
    http_endpoints: Mapping[str, str] | None
    name: str | None
    seed: int
    real_time: bool


def run_machine(
    definition: DefinitionLike,
    input: Any = None,
    *,
    fakes: Mapping[str, Any] | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    machines: Mapping[str, DefinitionLike] | None = None,
    substitutions: Mapping[str, str] | None = None,
    buckets: BucketsLike | None = None,
    services: AwsServices | None = None,
    http_endpoints: Mapping[str, str] | None = None,
    name: str | None = None,
    seed: int = 0,
    real_time: bool = False,
) -> MachineRun:
    """The ended execution of ``definition`` with ``input`` (default: an empty object).

    ``fakes`` stand in for services, by state, function, resource (``"dynamodb:putItem"``) or pattern
    (``"dynamodb:*"``): a value, a function of the arguments (``async`` too), an exception, or a list of these, one per
    call, the last for all later ones. ``functions`` are Lambda functions by name, ``(event)`` or ``(event, context)``;
    ``machines`` what ``states:startExecution`` may start; ``substitutions`` the values of ``${Name}`` placeholders.

    ``buckets`` are what distributed maps and ``aws-sdk:s3`` read and write: ``{"bucket": {"key": "content"}}``, or a
    folder with a folder for each bucket. ``services`` is the AWS that all other tasks really call, an empty one in
    this process for ``AwsServices()``, whose S3 counts where there are no ``buckets``; without it they need fakes.
    HTTP tasks are sent in real time only, to this machine or where ``http_endpoints`` says
    (``{"https://api.example.com": "http://127.0.0.1:8080"}``).

    Waits and retries take no time, unless ``real_time``. ``seed`` is for jitter, ``$random`` and ``$uuid``.

    Raises ``DefinitionError`` for what Step Functions would refuse, and for tasks that nothing stands in for.
    """
    if services is not None and services.blocking and not real_time:
        raise UsageError("an AWS behind an endpoint answers in real time: add real_time=True")
    main = definition_of(definition)
    fake = Fakes()
    parsed = _machines(main, machines or {}, substitutions or {})
    mocks = place(fake.mocks(fakes or {}), parsed.values(), idle_resources=True)
    check_endings(
        parsed.values(), mocks.integrations, virtual_time=False
    )  # HTTP is refused in this module's words
    setup = Setup(
        machines=parsed,
        clock=RealClock() if real_time else VirtualClock(),
        functions={name: to_function(name, function) for name, function in (functions or {}).items()},
        integrations=refused(services=services is None, http=not real_time),
        mocks=mocks,
        objects=objects_of(buckets, services),
        services=services or AwsServices(),
        http_endpoints=http_endpoints or {},
        seed=seed,
    )
    return _ended(setup, fake, main.name, {} if input is None else input, name)


def _ended(setup: Setup, fake: Fakes, machine: str, value: Any, name: str | None) -> MachineRun:
    """The ended execution; raises what assertions inside fakes raised."""
    made = assemble(setup, advice=ADVICE)
    engine = made.engine
    execution = in_thread_if_needed(lambda: engine.clock.run(_run(made, machine, value, name)))
    if fake.broken:
        raise fake.broken[0]
    return MachineRun(
        execution=execution,
        executions=engine.executions,
        map_runs=engine.map_runs,
        objects=setup.objects,
    )


def _machines(
    main: Definition, others: Mapping[str, DefinitionLike], substitutions: Mapping[str, str]
) -> dict[str, Any]:
    """Every machine by name, the main one last."""
    if main.name in others:
        raise UsageError(
            f"machines={{…}} names {main.name!r}, which is the machine that is run; it may start itself by this name"
        )
    definitions = [*(definition_of(each, key) for key, each in others.items()), main]
    return {each.name: to_machine(each, substitutions) for each in definitions}


async def _run(made: Assembled, machine: str, value: Any, name: str | None) -> Execution:
    """The ended execution, when everything that it started has ended too."""
    engine, standard = made.engine, made.standard
    try:
        execution = await engine.run(machine, value, name)
        await standard.settle()
        while left := [each for each in engine.executions.values() if each.status == "RUNNING"]:
            await engine.wait(left[0].name)
            await standard.settle()
    finally:
        await standard.close()
    return execution
