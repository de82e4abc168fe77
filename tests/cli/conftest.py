"""A working directory with DAGs in ``statemachines/``, as a user has it."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_serial = itertools.count()

DIAMOND = '''
import os
from stepweave import dag, task

@task
def load(day: str) -> list[int]:
    """Loads <b>rows</b>."""
    print("loading", day)
    return [1, 2, 3]

@task
def total(rows: list[int]) -> int:
    return sum(rows)

@task
def broken(rows: list[int]) -> int:
    if os.path.exists("broken"):
        raise ValueError("no rows")
    return len(rows)

@task
def report(total: int, count: int) -> str:
    return f"{total}/{count}"

@dag
def diamond(day: str = "today"):
    """Reports on a day."""
    rows = load(day)
    report(total(rows), broken(rows))
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with ``statemachines/``, imported under a module name of its own in each test."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "statemachines"
    folder.mkdir()
    # This repository has a package of the same name, which would be found first.
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT])
    kept = {name: sys.modules.pop(name) for name in _state_machines()}
    yield tmp_path
    for name in _state_machines():
        del sys.modules[name]
    sys.modules.update(kept)


def _state_machines() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] == "statemachines"]


@pytest.fixture
def diamond(project: Path) -> str:
    """The path of a module with the DAG ``diamond``: load, then total and broken, then report."""
    path = project / "statemachines" / f"module_{next(_serial)}.py"
    path.write_text(DIAMOND)
    return str(path.relative_to(project))


@pytest.fixture
def write(project: Path) -> Callable[[str], str]:
    """A function that writes another module and answers its path."""

    def make(text: str) -> str:
        path = project / "statemachines" / f"module_{next(_serial)}.py"
        path.write_text(text)
        return str(path.relative_to(project))

    return make


@pytest.fixture
def write_beside(project: Path) -> Callable[[str], str]:
    """A function that writes a module beside ``statemachines/``, which other processes can import, and its path.

    To them the package of that name is this repository's.
    """

    def make(text: str) -> str:
        path = project / f"beside_{next(_serial)}.py"
        path.write_text(text)
        return path.name

    return make
