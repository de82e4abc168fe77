"""Every capability that the documentation claims names a test, and the test exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "capabilities.md"
PLACES = {"embedded", "AWS", "both"}


def _ids(kind: str, *numbers: int) -> set[str]:
    return {f"{kind}{number:02}" for number in numbers}


CONTROL_FLOW = (
    _ids("PA", *range(1, 19))
    | _ids("DM", *range(1, 6), *range(17, 23))
    | _ids("ER", *range(1, 7), 8, *range(14, 19), *range(22, 29))
    | _ids("DY", *range(1, 7))
    | _ids("CO", *range(1, 10))
    | _ids("ST", 7, 11, 20, 21)
)
"""Capabilities of control flow and failure that the product was asked for."""
DEPLOYMENT = (
    _ids("ST", 1, 2, 4, 7, 8, 9, 24, 26)
    | _ids("EX", 7, *range(9, 14), *range(23, 29), 30)
    | _ids("MO", 1, 2, 5, 6, 12, 15, 17, 18, 19, 20, 22, 24)
    | _ids("RM", 1, 4, 8, 17)
    | _ids("ER", 13, 16, 21, 28)
    | _ids("BP", 5, 6, 7, 8, 14)
    | {"XP04", "TL04"}
)
"""Capabilities of what is deployed that the product was asked for."""


def table_rows() -> list[list[str]]:
    """The cells of each row, without header and rule."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def row_id(row: list[str]) -> str:
    return row[0].split("`")[1]


@pytest.mark.parametrize("row", table_rows(), ids=row_id)
def test_a_capability_names_a_test_that_exists(row: list[str]) -> None:
    assert len(row) == 4, "id | how to use it | test that proves it | where"
    tests = re.findall(r"`(tests/[^`]+\.py)::(\w+)`", row[2])
    assert tests, "no test is named"
    for path, name in tests:
        assert (ROOT / path).is_file(), path
        assert name in names_in(ROOT / path), f"{path} has no {name}"


@pytest.mark.parametrize("row", table_rows(), ids=row_id)
def test_a_capability_says_where_it_holds(row: list[str]) -> None:
    assert row[3] in PLACES


@pytest.mark.parametrize("asked", [CONTROL_FLOW, DEPLOYMENT], ids=["control flow", "deployment"])
def test_every_capability_that_was_asked_for_has_a_row(asked: set[str]) -> None:
    assert asked - {found for row in table_rows() for found in re.findall(r"[A-Z]{2}\d\d", row[0])} == set()


@pytest.mark.parametrize("asked", sorted(DEPLOYMENT))
def test_every_capability_of_deployment_holds_on_aws(asked: str) -> None:
    assert {row[3] for row in table_rows() if asked in row[0]} & {"AWS", "both"}


def test_no_capability_is_listed_twice() -> None:
    ids = [row_id(row) for row in table_rows()]
    assert len(ids) >= 20
    assert sorted(set(ids)) == sorted(ids)
