"""`run_machine`: a state machine, run to its end for a test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from stepweave.engine.clock import RealClock, VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.mocks import place
from stepweave.engine.objects import Objects
from stepweave.standalone.building import Setup, build
from stepweave.standalone.definitions import Definition, definition_of, to_machine
from stepweave.testing.fakes import Fakes, to_function
from stepweave.testing.runs import MachineRun

DefinitionLike: TypeAlias = Mapping[str, Any] | str | Path | Definition
"""A definition as an object, or the path of its file; or one that was read already."""

ADVICE = (
    "give fakes={…} with the name of the state, the function or the resource, functions={…}, or machines={…}"
)

T = TypeVar("T")


def run_machine(
    definition: DefinitionLike,
    *,
    input: Any = None,
    fakes: Mapping[str, Any] | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    machines: Mapping[str, DefinitionLike] | None = None,
    substitutions: Mapping[str, str] | None = None,
    objects: Objects | None = None,
    name: str | None = None,
    seed: int = 0,
    real_time: bool = False,
) -> MachineRun:
    """The ended execution of ``definition`` with ``input`` (default: an empty object).

    ``fakes`` stand in for services, by state, function, resource (``"dynamodb:putItem"``) or pattern
    (``"dynamodb:*"``): a value, a function of the arguments (``async`` too), an exception, or a list of these, one per
    call, the last for all later ones. ``functions`` are Lambda functions by name, ``(event)`` or ``(event, context)``;
    ``machines`` what ``states:startExecution`` may start; ``substitutions`` the values of ``${Name}`` placeholders.
    Waits and retries take no time, unless ``real_time``. ``seed`` is for jitter, ``$random`` and ``$uuid``.

    Raises ``DefinitionError`` for what Step Functions would refuse, and for tasks that nothing stands in for.
    """
    main = definition_of(definition)
    others = {key: definition_of(each, key) for key, each in (machines or {}).items()}
    fake = Fakes()
    engine = _engine(
        main,
        others,
        fake,
        fakes=fakes or {},
        functions=functions or {},
        substitutions=substitutions or {},
        objects=objects,
        seed=seed,
        real_time=real_time,
    )
    execution = in_thread_if_needed(lambda: _run(engine, main.name, {} if input is None else input, name))
    if fake.broken:
        raise fake.broken[0]
    return MachineRun(execution=execution, executions=engine.executions, map_runs=engine.map_runs)


def _engine(
    main: Definition,
    others: Mapping[str, Definition],
    fake: Fakes,
    *,
    fakes: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]],
    substitutions: Mapping[str, str],
    objects: Objects | None,
    seed: int,
    real_time: bool,
) -> Engine:
    machines = {each.name: to_machine(each, substitutions) for each in (*others.values(), main)}
    setup = Setup(
        machines=machines,
        clock=RealClock() if real_time else VirtualClock(),
        functions={name: to_function(name, function) for name, function in functions.items()},
        mocks=place(fake.mocks(fakes), machines.values(), idle_resources=True),
        objects=objects,
        seed=seed,
    )
    return build(setup, advice=ADVICE)


def _run(engine: Engine, machine: str, value: Any, name: str | None) -> Execution:
    return engine.clock.run(engine.run(machine, value, name))


def in_thread_if_needed(run: Callable[[], T]) -> T:
    """What ``run`` gives; in a thread of its own where an event loop runs, as in an ``async`` test."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run()
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(run())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
