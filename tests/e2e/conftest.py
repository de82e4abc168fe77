"""A folder of the test's own for the command to work in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.command import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty folder of a user."""
    return Project(tmp_path)
