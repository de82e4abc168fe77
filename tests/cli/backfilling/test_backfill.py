"""``stepweave backfill``: a run per date, each in a process of its own."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stepweave.cli.main import execute
from stepweave.stores.records import Records, database_path

DATED = """
import time
from pathlib import Path
from stepweave import Cron, dag, get_current_context, task
from stepweave.errors import DataError

@task
def load(k: int) -> str:
    day = get_current_context().logical_date.day
    with open("calls", "a") as calls:
        calls.write(f"{day} ")
    if day == 2 and not Path("fixed").exists():
        raise DataError("no rows")
    if Path("slow").exists():
        time.sleep(60)
    return f"{day} {k}"

@dag(schedule=Cron("@daily"))
def dated(k: int = 1):
    load(k)
"""
UNSCHEDULED = DATED.replace('(schedule=Cron("@daily"))', "")
RANGE = ("--start", "2026-01-01", "--end", "2026-01-03")


@pytest.fixture
def dated(write_beside: Callable[[str], str]) -> str:
    return write_beside(DATED)


def answer(capfd: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    runs = json.loads(capfd.readouterr().out)["runs"]
    return {run["logical_date"][:10]: run for run in runs}


def test_each_date_is_a_run_and_what_failed_goes_on_the_next_time(
    dated: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert execute(["backfill", dated, *RANGE, "-p", "k=5", "--json"]) == 1
    first = answer(capfd)
    assert {day: run["status"] for day, run in first.items()} == {
        "2026-01-01": "success",
        "2026-01-02": "failed",
        "2026-01-03": "success",
    }
    row = Records(database_path(".stepweave")).run("backfill__dated__2026-01-02")
    assert row is not None
    assert row.logical_date == "2026-01-02T00:00:00+00:00"
    Path("fixed").touch()
    assert execute(["backfill", dated, *RANGE, "--json"]) == 0
    second = answer(capfd)
    assert {day: run["skipped"] for day, run in second.items()} == {
        "2026-01-01": True,
        "2026-01-02": False,
        "2026-01-03": True,
    }
    assert Path("calls").read_text().split() == ["1", "2", "3", "2"]
    assert json.loads(Records(database_path(".stepweave")).runs()[0].params) == {"k": 5}


def test_the_newest_date_comes_first_when_asked(dated: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("fixed").touch()
    assert execute(["backfill", dated, *RANGE, "--reverse"]) == 0
    out = capfd.readouterr().out
    assert Path("calls").read_text().split() == ["3", "2", "1"]
    assert out.endswith("\n3 dates: 3 success\n")


def test_a_rerun_runs_also_what_has_succeeded(dated: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("fixed").touch()
    day = ("--start", "2026-01-01", "--end", "2026-01-01")
    assert execute(["backfill", dated, *day, "--json"]) == 0
    answer(capfd)
    assert execute(["backfill", dated, *day, "--rerun", "--json"]) == 0
    assert answer(capfd)["2026-01-01"]["run_id"] == "backfill__dated__2026-01-01__2"


def test_a_signal_cancels_what_goes_on_and_begins_no_more(
    dated: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("slow").touch()

    def interrupt() -> None:
        while not Path("calls").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert execute(["backfill", dated, *RANGE, "--json"]) == 1
    thread.join()
    assert [run["status"] for run in answer(capfd).values()] == ["cancelled", None, None]


def test_a_dag_without_a_schedule_needs_to_be_told_the_distance(
    write_beside: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    unscheduled = write_beside(UNSCHEDULED)
    assert execute(["backfill", unscheduled, *RANGE]) == 2
    assert "--every 1d" in capfd.readouterr().err
    assert execute(["backfill", unscheduled, *RANGE, "--every", "90s"]) == 2
    assert "whole minutes" in capfd.readouterr().err
    assert (
        execute(["backfill", unscheduled, "--start", "2026-01-01", "--end", "2026-01-01", "--every", "1d"])
        == 0
    )


def test_wrong_params_are_told_before_anything_runs(dated: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["backfill", dated, *RANGE, "-p", "k=many"]) == 2
    assert "k" in capfd.readouterr().err
    assert not Path("calls").exists()
