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
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.machine import Machine
from stepweave.engine.objects import MemoryObjects
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError
from tests.engine.drawing import INNER, World, machines
from tests.engine.hostile import ANSWERS, VALUES, Strange
from tests.engine.leaving import (
    called_again,
    cut,
    ended,
    ended_calls,
    journaled,
    kinds,
    latest,
    lengths,
    through_a_journal,
)
from tests.engine.shaped import defects
from tests.engine.spoiling import OBJECTS, spiced_machines, spoiled_machines, texts

WANTED = os.environ.get("STEPWEAVE_FUZZ", "")
EXAMPLES = int(WANTED or 150)
HISTORY_LIMIT, NESTED_LIMIT = 2_000, 100
"""Events after which a machine that would go on for ever is ended; the latter where retries start others that do."""
PATIENCE_SECONDS = 30
"""How long one example may take before it counts as hanging."""

fuzz = settings(max_examples=EXAMPLES, derandomize=not WANTED, suppress_health_check=list(HealthCheck))
pytestmark = pytest.mark.timeout(0 if WANTED else 120)


class HangingError(BaseException):
    """An example does not end. Nothing that takes a function's errors takes this."""


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """Fail when what is inside hangs."""

    def too_late(*_: object) -> None:
        raise HangingError(f"nothing ended within {PATIENCE_SECONDS} s")

    before = signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS, 1)
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
    limit = NESTED_LIMIT if json.dumps(definition).count("DISTRIBUTED") > 1 else HISTORY_LIMIT
    engine = Engine(
        {"main": machine, "inner": parse(INNER, "inner")},
        {"*": Strange(answers)},
        clock=clock,
        history_limit=limit,
        objects=MemoryObjects({"bucket": OBJECTS}),
    )
    with in_time():
        execution = clock.run(engine.run("main", value, "run"))
    assert execution.status in ("SUCCEEDED", "FAILED", "TIMED_OUT")
    for one in engine.executions.values():
        assert list(defects(one)) == []
        assert len(one.history) <= limit or one.express
        assert engine.describe(one.name)["status"] == one.status
        assert one.output is None or one.status == "SUCCEEDED"


# Executions that are left and gone on with.

_runs = itertools.count()


def ending(execution: Execution) -> tuple[Any, ...]:
    """How it ended; causes name events by numbers, which depend on what else happened meanwhile."""
    cause = re.sub(r"#\d+|-\d+\b|\d{13}", "", execution.cause or "")
    return execution.status, execution.output, execution.error, cause


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
    path = tmp_path_factory.getbasetemp() / f"left-{next(_runs)}"
    with in_time():
        whole = through_a_journal(path, machine, World(), value)
        for number in cuts:
            at = cut(path, number, torn)
            left, world = journaled(path, machine), World()
            engine = through_a_journal(path, machine, world, value, at + gap)
            assert ending(ended(engine)) == ending(ended(whole))
            assert kinds(whole) is None or kinds(engine) == kinds(whole)
            assert not ended_calls(left) & set(world.calls)
            assert called_again(engine, lengths(left)) == set()
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
    path = tmp_path_factory.getbasetemp() / f"redriven-{next(_runs)}"
    world = World()
    with in_time():
        failed = through_a_journal(path, machine, world, value)
        if ended(failed).status == "SUCCEEDED":
            return
        at = latest(path.read_bytes().splitlines()[1:])
        world.mended, world.calls = True, []
        engine = through_a_journal(path, machine, world, value, at, redrive=True)
    assert (ended(engine).status, ended(engine).redrive_count) == ("SUCCEEDED", 1)
    assert called_again(engine, lengths(failed)) == set()
    assert len(set(world.calls)) == len(world.calls)
    for one in engine.executions.values():
        assert list(defects(one)) == []
    path.unlink()
