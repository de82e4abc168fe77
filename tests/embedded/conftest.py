"""DAGs written to a file of their own, since worker processes import them from there."""

from __future__ import annotations

import itertools
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stepweave.authoring.dags import Dag
from stepweave.loading import load

_serial = itertools.count()

HEAD = """\
import os, signal, time
from pathlib import Path
from stepweave import dag, get_current_context, task
from stepweave.errors import DataError, Skip
"""


@pytest.fixture
def dag_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Dag]]:
    """A function that makes a DAG of source text, the one of a name where there are several, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)

    def make(text: str, name: str = "") -> Dag:
        file = tmp_path / f"flow_{next(_serial)}.py"
        file.write_text(HEAD + textwrap.dedent(text))
        return load(f"{file}:{name}" if name else str(file))

    yield make
    sys.path[:] = before
