"""``stepweave trigger`` on this machine: the run goes on when the command has ended."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import pytest

from stepweave.cli.main import execute
from stepweave.stores.records import Records, RunRow, database_path
from tests.cli.conftest import DIAMOND

SECONDS = 60.0
_serial = itertools.count()


@pytest.fixture
def flow(project: Path) -> str:
    """A file with the DAG ``diamond`` that another process can import as well."""
    name = f"background_flow_{next(_serial)}.py"
    (project / name).write_text(DIAMOND)
    return name


def ended(run_id: str, store: str = ".stepweave") -> RunRow:
    """The record of a run, once it has ended."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        row = Records(database_path(store)).run(run_id)
        if row is not None and row.ended_at is not None:
            return row
        time.sleep(0.05)
    raise AssertionError(f"{run_id} did not end")


def test_a_run_in_the_background_has_the_params_that_were_typed(
    flow: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert execute(["trigger", flow, "--param", "day=monday", "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert said["status"] == "started"
    assert said["params"] == {"day": "monday"}
    row = ended(said["run_id"])
    assert row.status == "success"
    assert json.loads(row.params) == {"day": "monday"}
    assert row.pid == said["pid"]


def test_it_says_how_to_look_at_the_run(flow: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["trigger", flow, "--run-id", "r1", "--store", "elsewhere"]) == 0
    said = capfd.readouterr().out.splitlines()
    assert said == ["r1: started", "look: stepweave show r1 --store elsewhere"]
    assert ended("r1", "elsewhere").status == "success"


def test_wrong_params_are_told_at_once(flow: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["trigger", flow, "--param", "colour=red"]) == 2
    assert "colour" in capfd.readouterr().err
    assert not Path(".stepweave").exists()


def test_a_run_that_cannot_begin_is_told_of_in_its_own_words(
    flow: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "file").write_text("a file, not a folder")
    assert execute(["trigger", flow, "--store", "file"]) != 0
    assert "file" in capfd.readouterr().err


def test_with_wait_the_command_ends_as_the_run_does(
    flow: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "broken").touch()
    assert execute(["trigger", flow, "--wait", "--json"]) == 1
    assert json.loads(capfd.readouterr().out)["status"] == "failed"
