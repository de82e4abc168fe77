"""Stacks of DAGs, synthesized once for all tests."""

from __future__ import annotations

import pytest

from tests.infra.dags.flows import ASIDE, HEAVY, compiled, written
from tests.infra.dags.stacks import LOCAL, REPOSITORY, WATCHED, Stacks, synthesized


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """Stacks with everything that can be asked for."""
    folder = tmp_path_factory.mktemp("watched")
    flows = [*map(compiled, REPOSITORY)]
    flows += [written(folder, HEAVY, "heavy_dag"), written(folder, ASIDE, "aside_dag")]
    return synthesized(folder, "prod", WATCHED, flows)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """Stacks for the local AWS."""
    return synthesized(tmp_path_factory.mktemp("local"), "local", LOCAL, [compiled("churn")])


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """A stack with nothing set."""
    return synthesized(tmp_path_factory.mktemp("plain"), "dev", {}, [compiled("churn")])
