"""Compiled DAGs do in sfnx, an interpreter that others wrote and measured against AWS, what they do in our engine.

The same tasks run with the same payloads, the same states are entered, gates and nested machines get the same messages,
and the run ends with the same status, error, cause and output. What differs by right is in docs/parity.md.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, seed, settings

from tests.parity.drawn import sample, scenarios
from tests.parity.interpreters import in_our_engine, in_sfnx
from tests.parity.scenarios import Ending, Outcome, Scenario, plain, scenario

REPOSITORY = Path(__file__).parents[2]
OTHER_ANSWERS = (
    '"items"',
    '"quorum"',
    '"branch"',
    '"sensor"',
    "Approvals",
    "Dag_",
    "ItemProcessor",
    '"Won"',
    '"chosen"',
)
"""Marks of machines whose tasks answer more than a record; tests/control runs those in both interpreters."""


def bundled() -> list[Path]:
    """The committed machines of one part each whose tasks answer with plain records."""
    found = sorted((REPOSITORY / "statemachines").glob("**/asl/*.asl.json"))
    texts = {file: file.read_text(encoding="utf-8") for file in found}
    return [file for file, text in texts.items() if not any(mark in text for mark in OTHER_ANSWERS)]


BUNDLED = bundled()


def assert_same(drawn: Scenario) -> Outcome:
    """What both interpreters make of ``drawn``."""
    ours, answers = in_our_engine(drawn)
    theirs = in_sfnx(drawn, answers)
    assert (ours.status, ours.error, ours.cause) == (theirs.status, theirs.error, theirs.cause)
    if ours.error is None or not drawn.fail_fast:
        assert plain(ours.output) == plain(theirs.output)
        assert sorted((ours.states - theirs.states) + (theirs.states - ours.states)) == []
        assert {"ours": ours.calls - theirs.calls, "theirs": theirs.calls - ours.calls} == {
            "ours": Counter(),
            "theirs": Counter(),
        }
    return ours


@seed(7)
@settings(max_examples=80, deadline=None, database=None)
@given(drawn=scenarios())
def test_drawn_dags_do_the_same_in_both_interpreters(drawn: Scenario) -> None:
    assert_same(drawn)


@pytest.mark.slow
@pytest.mark.timeout(900)
@seed(8)
@settings(max_examples=200, deadline=None, database=None)
@given(drawn=scenarios(max_tasks=20))
def test_many_larger_drawn_dags_do_the_same_in_both_interpreters(drawn: Scenario) -> None:
    assert_same(drawn)


def test_the_drawn_dags_have_all_that_matters() -> None:
    seen: Counter[str] = Counter()
    drawn = sample(80)
    for one in drawn:
        text = json.dumps(one.definitions)
        seen["gates"] += ".waitForTaskToken" in text
        seen["nested machines"] += len(one.definitions) > 1
        seen["jobs"] += "submitJob" in text
        seen["expressions"] += '"values"' in text
        seen["tear-downs"] += '"rerun"' in text
        seen["fail_fast"] += one.fail_fast
        seen["failures"] += any(ending.never for ending in one.endings.values())
    assert len(drawn) >= 60
    assert {kind for kind, count in seen.items() if count >= 4} == set(seen)


def tasks_of(definition: Any) -> Iterator[str]:
    """Ids of the tasks that a definition runs."""
    if isinstance(definition, Mapping):
        if "task" in definition.get("Payload", {}):
            yield definition["Payload"]["task"]
        for inner in definition.values():
            yield from tasks_of(inner)
    elif isinstance(definition, list):
        for inner in definition:
            yield from tasks_of(inner)


@pytest.mark.parametrize("file", BUNDLED, ids=lambda file: file.name)
def test_bundled_dags_do_the_same_in_both_interpreters_whichever_task_fails(file: Path) -> None:
    definition = json.loads(file.read_text())
    # Where the first failure ends the run, what else has begun by then is a matter of time.
    fail_fast = "DagRunFailed" not in json.dumps(definition)
    assert assert_same(scenario({"": definition})).status == "SUCCEEDED"
    for task in sorted(set(tasks_of(definition))):
        for error in ("PermanentError", "Skip"):
            ending = {task: Ending(errors=((error, "{}"),), never=True)}
            assert_same(scenario({"": definition}, ending, fail_fast=fail_fast))


def test_there_are_bundled_dags() -> None:
    assert len(BUNDLED) >= 5


N_SHAPE = (REPOSITORY / "statemachines" / "examples" / "asl" / "n_shape.asl.json").read_text()


@pytest.mark.parametrize(
    "change",
    [
        ("$v_customers %}", "$v_customers.status %}"),
        ("status in ['failed', 'upstream_failed']", "status in ['skipped']"),
        ("'upstream_failed' %}", "'skipped' %}"),
        ('"by": [', '"by": ["other", '),
        ('"strict": true', '"strict": false'),
        ('"inline": 16384', '"inline": 16385'),
        ("RetryCount", "RetryCount + 1"),
    ],
    ids=lambda change: change[0],
)
def test_a_difference_is_seen(change: tuple[str, str]) -> None:
    """Where one interpreter is given a machine with one part changed, the two do not do the same."""
    assert change[0] in N_SHAPE
    endings = {"customers": Ending(errors=(("PermanentError", "{}"),), never=True)}
    seen = []
    for world in ({}, endings):
        sound = scenario({"": json.loads(N_SHAPE)}, world)
        changed = scenario({"": json.loads(N_SHAPE.replace(*change))}, world)
        ours, answers = in_our_engine(sound)
        assert ours == in_sfnx(sound, answers)
        seen.append(ours == in_sfnx(changed, answers))
    assert not all(seen)
