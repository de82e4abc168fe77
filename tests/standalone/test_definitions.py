"""Definitions as files or objects, their placeholders, and what tells them apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stepweave.errors import DefinitionError, UsageError
from stepweave.standalone.definitions import (
    Definition,
    defaults,
    definition_of,
    filled,
    identity_of,
    machine_name,
    to_machine,
)
from tests.engine.building import call, machine, passing

ECHO = machine(("echo", passing()))


def given(source: Any, name: str = "m", file: str | None = None) -> Definition:
    return Definition(name=name, source=source, file=file)


@pytest.mark.parametrize(
    "file, name",
    [
        ("a/orders.asl.json", "orders"),
        ("orders.json", "orders"),
        ("a.b.json", "a.b"),
        ("orders.txt", "orders"),
    ],
)
def test_a_machine_is_named_after_its_file(file: str, name: str) -> None:
    assert machine_name(file) == name


def test_a_definition_is_an_object_a_file_or_one_that_was_read(tmp_path: Path) -> None:
    path = tmp_path / "orders.asl.json"
    path.write_text(json.dumps(ECHO), encoding="utf-8-sig")  # as some editors on Windows write it
    assert definition_of(ECHO) == given(ECHO, "machine")
    assert definition_of(ECHO, "child").name == "child"
    for file in (path, str(path)):
        assert definition_of(file) == given(ECHO, "orders", str(path))
    assert definition_of(definition_of(path), "other").name == "orders"


@pytest.mark.parametrize(
    "content, words",
    [
        (b"{", ":1: the definition is not JSON"),
        (b'{"a":\n b}', ":2: the definition is not JSON"),
        (b"[1]", "a definition is a JSON object"),
        (b"\xff", "the definition is not JSON"),
        (b"[" * 100_000, "the definition is not JSON"),
    ],
)
def test_a_file_that_holds_none_is_a_mistake_at_its_place(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(content)
    with pytest.raises(DefinitionError, match=words):
        definition_of(path)


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the definition .*No such file"):
        definition_of(tmp_path / "gone.json")
    with pytest.raises(UsageError, match="Is a directory"):
        definition_of(tmp_path)


def test_placeholders_without_values_stand_for_their_names() -> None:
    source = machine(
        ("a", call("${Charge}")),
        ("b", {"Type": "Task", "Resource": "${Ship}"}),
        ("c", passing(Output="table-${Stage}")),
    )
    found = defaults(given(source))
    assert found == {
        "Charge": "Charge",
        "Ship": "arn:aws:lambda:us-east-1:000000000000:function:Ship",
        "Stage": "${Stage}",
    }
    tasks = {task.name: task for task in to_machine(given(source), {}).tasks()}
    assert tasks["b"].resource == "lambda:function"
    assert filled(given(source), {})["States"]["c"]["Output"] == "table-${Stage}"
    assert filled(given(source), {"Stage": "dev"})["States"]["c"]["Output"] == "table-dev"


@pytest.mark.parametrize("first", ["Resource", "FunctionName"])
def test_a_placeholder_that_is_a_resource_somewhere_is_one_everywhere(first: str) -> None:
    uses: dict[str, Any] = {first: "${F}", **dict.fromkeys(("Resource", "FunctionName"), "${F}")}
    assert defaults(given({"States": [uses]}))["F"].endswith(":function:F")


def test_a_mistake_is_told_with_the_file_and_the_state() -> None:
    wrong = {**ECHO, "States": {"echo": {"Type": "Pass", "Next": "gone"}}}
    with pytest.raises(DefinitionError) as caught:
        to_machine(given(wrong, file="m.asl.json"), {})
    assert {problem.file for problem in caught.value.problems} == {"m.asl.json"}
    with pytest.raises(DefinitionError) as caught:
        to_machine(given(wrong), {})
    assert "m.asl.json" not in str(caught.value)


def test_definitions_are_the_same_whatever_the_order_of_their_fields() -> None:
    first = given(ECHO)
    again = given(dict(reversed(ECHO.items())))
    assert identity_of([first], {}) == identity_of([again], {})


@pytest.mark.parametrize(
    "other, values",
    [
        ([given({**ECHO, "Comment": "x"})], {}),
        ([given(ECHO, "n")], {}),
        ([given(ECHO), given(ECHO, "child")], {}),
    ],
)
def test_other_definitions_have_another_identity(other: list[Definition], values: dict[str, str]) -> None:
    assert identity_of(other, values) != identity_of([given(ECHO)], {})


def test_other_values_of_placeholders_give_another_identity() -> None:
    source = given(machine(("a", call("${Charge}"))))
    assert identity_of([source], {"Charge": "a"}) != identity_of([source], {"Charge": "b"})
    assert identity_of([source], {"Charge": "Charge"}) == identity_of([source], {})
