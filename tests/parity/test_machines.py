"""Machines of any kind do in our engine what they do in two interpreters that others wrote; differences are known."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.parity.cases import Case, Fails, case, differences, passing, task
from tests.parity.corpus import CASES
from tests.parity.differences import MACHINES, ROWS
from tests.parity.generated import sample
from tests.parity.machines.tasks import catcher, retrier
from tests.parity.moto_differences import difference_from_moto, known_differences
from tests.parity.running_ours import in_our_engine
from tests.parity.running_sfnx import in_sfnx

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "parity.md").read_text()
BY_NAME = {one.name: one for one in CASES}
DRAWN = 200
"""Drawn machines in every run of the tests; more behind ``slow``."""
MOTO = known_differences()


def assert_same(one: Case) -> None:
    """``one`` does the same in our engine and in sfnx, with each of its inputs."""
    found = {
        json.dumps(value): differences(one, ours, theirs)
        for value, ours, theirs in zip(one.inputs, in_our_engine(one), in_sfnx(one), strict=True)
    }
    assert found == {value: [] for value in found}


@pytest.mark.parametrize("name", [one.name for one in CASES if one.name not in MACHINES])
def test_a_machine_does_the_same_in_sfnx(name: str) -> None:
    assert_same(BY_NAME[name])


@pytest.mark.parametrize("name", MACHINES)
def test_a_known_difference_is_as_described(name: str) -> None:
    ours, theirs = in_our_engine(BY_NAME[name])[-1], in_sfnx(BY_NAME[name])[-1]
    assert (ours.text(), theirs.text()) == MACHINES[name]
    assert differences(BY_NAME[name], ours, theirs) or ours.calls != theirs.calls


@pytest.mark.parametrize("number", range(DRAWN))
def test_a_drawn_machine_does_the_same_in_sfnx(number: int) -> None:
    assert_same(sample(DRAWN)[number])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_drawn_machines_do_the_same_in_sfnx() -> None:
    for one in sample(600):
        assert_same(one)


def test_drawn_machines_have_all_that_matters() -> None:
    endings = [ending for one in sample(DRAWN) for ending in in_our_engine(one)]
    kinds = {event for one in sample(DRAWN) for event in json.dumps(one.definition).split('"')}
    types = "Task Pass Choice Wait Succeed Fail Parallel Map DISTRIBUTED Retry Catch Assign ItemBatcher"
    assert set(types.split()) <= kinds
    assert sum(ending.status == "SUCCEEDED" for ending in endings) >= 150
    assert sum(ending.status == "FAILED" for ending in endings) >= 100
    assert len({ending.error for ending in endings}) >= 5
    assert sum(len(ending.calls) > 2 for ending in endings) >= 50


@pytest.mark.parametrize("name", BY_NAME)
def test_a_machine_does_in_moto_what_is_known(name: str) -> None:
    assert difference_from_moto(BY_NAME[name]) == MOTO.get(name)


SEEN = case(
    "one part after another",
    ("a", passing("{% $states.input.x %}", Assign={"v": 1})),
    ("t", task({"x": "{% $states.input + $v %}"}, Retry=[retrier("E", MaxAttempts=2)], Catch=[catcher("F")])),
    ("end", passing("{% [$v, $states.input] %}", End=True)),
    ("caught", {"Type": "Fail", "Error": "G", "Cause": "{% $states.input.Cause %}"}),
    inputs=({"x": 1},),
    answers={"t": (Fails("E"), Fails("E"), Fails("F", "at last"))},
)


@pytest.mark.parametrize(
    "change, seen",
    [
        (('"MaxAttempts": 2', '"MaxAttempts": 1'), "error"),
        (('"MaxAttempts": 2', '"MaxAttempts": 3'), None),
        (('["F"]', '["H"]'), "error"),
        (('"Error": "G"', '"Error": "H"'), "error"),
        (("$states.input.Cause", "'other'"), "cause"),
        (('"Error": "G", "Cause": "{% $states.input.Cause %}"}', '"Error": "G"}'), "cause"),
        (
            ('"Type": "Fail", "Error": "G", "Cause": "{% $states.input.Cause %}"', '"Type": "Succeed"'),
            "status",
        ),
        (("$states.input + $v", "$states.input - $v"), "calls"),
        (('{"v": 1}', '{"v": 2}'), "calls"),
        (('"Next": "caught"', '"Next": "end"'), "refusal"),
    ],
)
def test_a_change_of_one_part_is_seen(change: tuple[str, str], seen: str | None) -> None:
    """Where one interpreter is given a machine with one part changed, the two do not do the same."""
    text = json.dumps(SEEN.definition)
    assert change[0] in text
    changed = replace(SEEN, definition=json.loads(text.replace(*change)))
    assert differences(SEEN, in_our_engine(SEEN)[0], in_sfnx(SEEN)[0]) == []
    found = differences(SEEN, in_our_engine(SEEN)[0], in_sfnx(changed)[0])
    assert found[:1] == ([] if seen is None else [seen])


def test_there_are_hundreds_of_machines_and_no_two_are_alike() -> None:
    assert len(BY_NAME) == len(CASES) >= 500
    definitions = [
        json.dumps((one.definition, one.inputs, repr(one.answers), one.items), sort_keys=True)
        for one in CASES
    ]
    assert len(definitions) - len(set(definitions)) == 0


def test_the_page_has_a_row_for_every_difference() -> None:
    table = PAGE.partition("## Differences from sfnx")[2].partition("\n## ")[0].splitlines()
    rows = {line.removeprefix("| ").partition(" | ")[0] for line in table if line.startswith("| ")}
    assert rows - {"what"} == ROWS.keys()


def test_the_page_cites_tests_and_machines_that_there_are() -> None:
    section = PAGE.partition("## Where the documentation is silent")[2].partition("\n## ")[0]
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", section)
    assert len(tests) >= 6
    assert [name for file, name in tests if f"def {name}(" not in (ROOT / file).read_text()] == []
    machines = re.findall(r"\| machines? ([^|]+)\|", section)
    names = [name.removesuffix(" …") for text in machines for name in re.findall(r"`([^`]+)`", text)]
    assert len(names) >= 8
    assert [name for name in names if not any(known.startswith(name) for known in BY_NAME)] == []
