"""Executions that are left and gone on with: what is left of them in a journal, and who is still to answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.engine.journal import Journal
from stepweave.engine.machine import Machine
from stepweave.engine.parsing import parse
from tests.engine.drawing import INNER, World

NAME = "run"


def engine_of(machine: Machine, world: World, clock: VirtualClock, journal: Journal) -> Engine:
    """An engine with all that drawn machines need."""
    world.engine = Engine(
        {"main": machine, "inner": parse(INNER, "inner")},
        {"lambda:invoke": world, **start_execution_integrations()},
        clock=clock,
        journal=journal,
    )
    return world.engine


def through_a_journal(
    path: Path, machine: Machine, world: World, value: Any, at: float | None = None, *, redrive: bool = False
) -> Engine:
    """The engine with the ended execution, begun or gone on with at the time ``at`` as its journal at ``path`` says."""
    clock = VirtualClock() if at is None else VirtualClock(at)
    with Journal(path, "left") as journal:
        engine = engine_of(machine, world, clock, journal)

        async def main() -> None:
            if NAME not in engine.executions:
                await engine.run("main", value, NAME)
                return
            for token, arguments in _tokens_to_answer(engine):
                world.answer_later(token, arguments, 5)
            again = engine.redrive(NAME) if redrive else engine.resume(NAME)
            await engine.wait(again.name)

        clock.run(main())
        return engine


def _tokens_to_answer(engine: Engine) -> Iterator[tuple[str, Any]]:
    """Token and arguments of each call that the world has taken and may have yet to answer."""
    for execution in engine.executions.values():
        asked: dict[int, tuple[str, Any]] = {}
        for kind, _, _, name, data, more, line in execution.history.records():
            if kind == "TaskScheduled":
                asked[line] = (more[2], data)
            elif kind == "TaskSubmitted" and (name or "").endswith("waitForTaskToken"):
                payload = asked[line][1]["Payload"]
                if payload["try"] >= payload["do"].get("fails", 0):
                    yield asked[line]


def cut(path: Path, number: int, torn: int) -> float:
    """The time of the last record in a journal that is cut after a line and ``torn`` bytes of the next."""
    lines = path.read_bytes().splitlines(keepends=True)
    count = 2 + number % (len(lines) - 1)
    path.write_bytes(b"".join(lines[:count]) + b"".join(lines[count : count + 1])[:-1][:torn])
    return latest(lines[1:count])


def latest(lines: list[bytes]) -> float:
    """The time of the last record."""
    times = [entry[3] for line in lines if isinstance(entry := json.loads(line), list)]
    return max(times, default=VirtualClock().now())


def ended_calls(engine: Engine) -> set[str]:
    """Names of the calls whose ends are in the histories."""
    found: set[str] = set()
    for execution in engine.executions.values():
        open_calls: dict[int, int] = {}
        for number, record in enumerate(execution.history.records(), start=1):
            kind, line = record[0], record[6]
            if kind == "TaskScheduled":
                open_calls[line] = number
            elif kind in ("TaskSucceeded", "TaskFailed", "TaskTimedOut"):
                found.add(f"{execution.name}-{open_calls.pop(line)}")
    return found


def kinds(engine: Engine) -> list[str] | None:
    """The types of all events, sorted; None when something was cut off: what there is then is a matter of time."""
    found = [kind for execution in engine.executions.values() for kind in execution.history.kinds()]
    cut_off = any(
        kind.endswith(("Aborted", "MapStateFailed", "ParallelStateFailed", "MapRunFailed")) for kind in found
    )
    return None if cut_off else sorted(found)


def lengths(engine: Engine) -> dict[str, int]:
    """How many events each execution has."""
    return {execution.name: len(execution.history) for execution in engine.executions.values()}


def called_again(engine: Engine, before: dict[str, int]) -> set[tuple[str, int, str]]:
    """Execution, line and state of each task that was called though it had succeeded ``before``.

    A line enters no state twice in the machines that are drawn.
    """
    found: set[tuple[str, int, str]] = set()
    for execution in engine.executions.values():
        state_of: dict[int, str] = {}
        succeeded: set[int] = set()
        for number, record in enumerate(execution.history.records()):
            kind, line = record[0], record[6]
            if kind == "TaskStateEntered":
                state_of[line] = record[3] or ""
                succeeded.discard(line)
            elif kind == "TaskSucceeded" and number < before.get(execution.name, 0):
                succeeded.add(line)
            elif kind == "TaskScheduled" and number >= before.get(execution.name, 0) and line in succeeded:
                found.add((execution.name, line, state_of[line]))
    return found


def journaled(path: Path, machine: Machine) -> Engine:
    """An engine that knows what a journal holds, and runs nothing."""
    with Journal(path, "left") as journal:
        return engine_of(machine, World(), VirtualClock(), journal)


def ended(engine: Engine) -> Execution:
    """The execution."""
    return engine.executions[NAME]
