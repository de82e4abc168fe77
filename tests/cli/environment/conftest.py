"""A run of a deployed DAG: what its execution was is told by an engine, everything else by fakes of AWS."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stepweave.cli.main import execute
from stepweave.embedded.request import RunRequest
from stepweave.embedded.run import run_dag
from stepweave.loading import load
from stepweave.stores.run_table import DeployedStatus
from tests.deployed.deployed_world import World, deployed_world
from tests.deployed.engine_histories import EngineAsStepFunctions, engines_kept

ROOT = Path(__file__).parents[3]

SALES = """
from stepweave import dag, task
from stepweave.errors import DataError

@task
def load(day: str) -> list[int]:
    return [1, 2, 3]

@task
def total(rows: list[int]) -> int:
    return sum(rows)

@task(retries=0)
def check(rows: list[int], limit: int) -> int:
    if len(rows) > limit:
        raise DataError("too many rows")
    return len(rows)

@task
def report(total: int, count: int) -> str:
    return f"{total}/{count}"

@dag
def sales(day: str = "today", limit: int = 5):
    rows = load(day)
    report(total(rows), check(rows, limit))
"""


@dataclass
class Deployed:
    """The environment ``dev`` with the DAG ``sales``, in whose project the commands are typed."""

    world: World
    monkeypatch: pytest.MonkeyPatch

    def ran(
        self,
        run_id: str = "sales-1",
        status: DeployedStatus | None = None,
        code_version: str = "",
        **params: Any,
    ) -> EngineAsStepFunctions:
        """A run of ``sales``; ``status`` on record if it is another than that of its execution."""
        with engines_kept(self.monkeypatch) as engines:
            request = RunRequest(
                dag=load("sales"), params=params, run_id=run_id, inline=True, store=self.world.store
            )
            result = run_dag(request)
        seen = self.world.step_functions = EngineAsStepFunctions(engines[0])
        self.world.record(
            "sales",
            run_id,
            status or result.status,
            execution=seen.root.arn,
            params=json.dumps(params),
            code_version=code_version,
            error=result.error if status is None else "",
        )
        return seen


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """The environment ``dev`` with a DAG."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "statemachines").mkdir()
    (tmp_path / "statemachines" / "deployed_sales.py").write_text(SALES)
    # This repository has a package of the same name, which would be found first.
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT])
    kept = {name: sys.modules.pop(name) for name in _state_machines()}
    with deployed_world(str(tmp_path / "artifacts"), monkeypatch) as world:
        world.deploy("sales")
        yield Deployed(world, monkeypatch)
    for name in _state_machines():
        del sys.modules[name]
    sys.modules.update(kept)


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """A function that runs a command: its exit status, and what it printed."""

    def run(*argv: str) -> tuple[int, str]:
        capfd.readouterr()
        status = execute(argv)
        out, err = capfd.readouterr()
        return status, out + err

    return run


def _state_machines() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] == "statemachines"]
