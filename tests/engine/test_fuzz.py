"""Whatever is written, given and answered: a machine or a list of problems, and an execution that ends as on AWS.

``STEPWEAVE_FUZZ=10000 pytest tests/engine/test_fuzz.py`` draws that many examples of each property, others every time;
without it there are a few, always the same.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.engine.journal import Journal
from stepweave.engine.machine import Machine
from stepweave.engine.objects import MemoryObjects
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError
from tests.engine.drawing import INNER, World, machines
from tests.engine.hostile import ANSWERS, VALUES, Strange
from tests.engine.shaped import defects
from tests.engine.spoiling import OBJECTS, spiced_machines, spoiled_machines, texts

WANTED = os.environ.get("STEPWEAVE_FUZZ", "")
EXAMPLES = int(WANTED or 150)
HISTORY_LIMIT = 2_000
"""Events after which a machine that would go on for ever is ended."""
PATIENCE_SECONDS = 30
"""How long one example may take before it counts as hanging."""

fuzz = settings(max_examples=EXAMPLES, derandomize=not WANTED, suppress_health_check=list(HealthCheck))
pytestmark = pytest.mark.timeout(0 if WANTED else 120)


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """Fail when what is inside hangs."""

    def too_late(*_: object) -> None:
        raise AssertionError(f"nothing ended within {PATIENCE_SECONDS} s")

    before = signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# Definitions.


def parsed(definition: Any) -> Machine | None:
    """The machine; None when the definition is refused as it should be."""
    try:
        with in_time():
            return parse(definition, "main")
    except DefinitionError as error:
        problems = error.problems
    assert problems
    for problem in problems:
        assert problem.what
        assert problem.code
        assert problem.state or problem.file, str(problem)
        json.dumps(problem.to_json())
    return None


@fuzz
@given(spoiled_machines())
def test_a_definition_with_mistakes_is_refused_with_their_places_or_read(definition: Any) -> None:
    machine = parsed(definition)
    assert machine is None or machine.block.states


@fuzz
@given(texts())
def test_any_text_is_refused_or_read(text: str) -> None:
    machine = parsed(text)
    assert machine is None or machine.block.states


# Executions.


@fuzz
@given(spiced_machines(), VALUES, ANSWERS)
def test_whatever_is_read_runs_to_an_end_that_aws_has(
    definition: Any, value: Any, answers: list[Any]
) -> None:
    machine = parsed(definition)
    if machine is None:
        return
    clock = VirtualClock()
    engine = Engine(
        {"main": machine, "inner": parse(INNER, "inner")},
        {"*": Strange(answers)},
        clock=clock,
        history_limit=HISTORY_LIMIT,
        objects=MemoryObjects({"bucket": OBJECTS}),
    )
    with in_time():
        execution = clock.run(engine.run("main", value, "run"))
    assert execution.status in ("SUCCEEDED", "FAILED", "TIMED_OUT")
    for one in engine.executions.values():
        assert list(defects(one)) == []
        assert len(one.history) <= HISTORY_LIMIT or one.express
        assert engine.describe(one.name)["status"] == one.status
        assert one.output is None or one.status == "SUCCEEDED"


# Executions that are left and gone on with.

_runs = itertools.count()


def through_a_journal(
    path: Path, machine: Machine, world: World, value: Any, at: float | None = None, *, redrive: bool = False
) -> tuple[Execution, Engine]:
    """The execution ``run``, begun or gone on with as its journal at ``path`` says, and its engine."""
    clock = VirtualClock() if at is None else VirtualClock(at)
    with Journal(path, "fuzz") as journal:
        engine = Engine(
            {"main": machine, "inner": parse(INNER, "inner")},
            {"lambda:invoke": world, **start_execution_integrations()},
            clock=clock,
            journal=journal,
        )
        world.engine = engine

        async def main() -> Execution:
            if "run" not in engine.executions:
                return await engine.run("main", value, "run")
            for token, arguments in waiting_tokens(engine):
                world.answer_later(token, arguments, 5)
            again = engine.redrive("run") if redrive else engine.resume("run")
            return await engine.wait(again.name)

        return clock.run(main()), engine


def waiting_tokens(engine: Engine) -> Iterator[tuple[str, Any]]:
    """Token and arguments of each call that the world has taken and has yet to answer."""
    for execution in engine.executions.values():
        asked: dict[int, tuple[str, Any]] = {}
        for kind, _, _, name, data, more, line in execution.history.records():
            if kind == "TaskScheduled" and (name or "").endswith("waitForTaskToken"):
                asked[line] = (more[2], data)
            elif kind == "TaskSubmitted" and line in asked and "fails" not in asked[line][1]["Payload"]["do"]:
                yield asked[line]
            elif kind == "TaskSubmitted" and line in asked:
                payload = asked[line][1]["Payload"]
                if payload["try"] >= payload["do"]["fails"]:
                    yield asked[line]


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


def ending(execution: Execution) -> tuple[Any, ...]:
    """How it ended; causes name events by numbers, which depend on what else happened meanwhile."""
    cause = re.sub(r"#\d+|-\d+\b|\d{13}", "", execution.cause or "")
    return execution.status, execution.output, execution.error, cause


def latest(lines: list[bytes]) -> float:
    """The time of the last record."""
    times = [entry[3] for line in lines if isinstance(entry := json.loads(line), list)]
    return max(times, default=VirtualClock().now())


@fuzz
@given(
    machines(),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=2),
    st.sampled_from((0, 0.5, 7)),
    st.integers(0, 40),
)
def test_an_execution_that_is_left_anywhere_ends_as_if_it_had_not_been(
    tmp_path_factory: pytest.TempPathFactory, drawn: Any, cuts: list[int], gap: float, torn: int
) -> None:
    definition, value = drawn
    machine = parse(definition, "main")
    path = tmp_path_factory.getbasetemp() / f"cut-{next(_runs)}"
    with in_time():
        whole, _ = through_a_journal(path, machine, World(), value)
        expected = ending(whole)
        for cut in cuts:
            lines = path.read_bytes().splitlines(keepends=True)
            count = 2 + cut % (len(lines) - 1)
            path.write_bytes(b"".join(lines[:count]) + b"".join(lines[count : count + 1])[:-1][:torn])
            with Journal(path, "fuzz") as journal:
                assert journal.kept
                done = ended_calls(Engine({"main": machine}, {"*": Strange([1])}, journal=journal))
            at = latest(lines[1:count])
            world = World()
            again, engine = through_a_journal(path, machine, world, value, at + gap)
            assert ending(again) == expected
            assert not done & set(world.calls)
            assert len(set(world.calls)) == len(world.calls)
            for one in engine.executions.values():
                assert list(defects(one)) == []
    path.unlink()


@fuzz
@given(machines(mendable=True))
def test_a_failed_execution_whose_world_is_mended_is_redriven_to_success(
    tmp_path_factory: pytest.TempPathFactory, drawn: Any
) -> None:
    definition, value = drawn
    machine = parse(definition, "main")
    path = tmp_path_factory.getbasetemp() / f"redrive-{next(_runs)}"
    world = World()
    with in_time():
        first, engine = through_a_journal(path, machine, world, value)
        if first.status == "SUCCEEDED":
            return
        before = {one.name: len(one.history) for one in engine.executions.values()}
        world.mended = True
        calls = len(world.calls)
        again, engine = through_a_journal(
            path, machine, world, value, latest(path.read_bytes().splitlines()[1:]), redrive=True
        )
    assert (again.status, again.redrive_count) == ("SUCCEEDED", 1)
    assert len(set(world.calls[calls:])) == len(world.calls[calls:])
    for one in engine.executions.values():
        assert list(defects(one)) == []
        assert not succeeded(one, 0, before.get(one.name, 0)) & scheduled(one, before.get(one.name, 0))


def succeeded(execution: Execution, start: int, end: int) -> set[tuple[int, str]]:
    """Line and state of the tasks that succeeded between two events."""
    return _states_of(execution, start, end, "TaskSucceeded")


def scheduled(execution: Execution, start: int) -> set[tuple[int, str]]:
    """Line and state of the tasks that were called after an event."""
    return _states_of(execution, start, len(execution.history), "TaskScheduled")


def _states_of(execution: Execution, start: int, end: int, wanted: str) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    state_of: dict[int, str] = {}
    for number, record in enumerate(execution.history.records()):
        kind, line = record[0], record[6]
        if kind == "TaskStateEntered":
            state_of[line] = record[3] or ""
        elif kind == wanted and start <= number < end:
            found.add((line, state_of[line]))
    return found
