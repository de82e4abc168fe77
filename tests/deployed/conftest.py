"""The environment ``dev``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployed.deployed_world import World, deployed_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A deployed environment without DAGs."""
    with deployed_world(str(tmp_path / "store"), monkeypatch) as found:
        yield found
