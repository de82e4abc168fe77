"""A local AWS of one's own, for tests that start and stop it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stepweave.local_aws.home import Home
from stepweave.local_aws.process import down
from tests.local_aws.conftest import VENV


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "aws", VENV)
    yield made
    down(made)
