"""Runs by what people type, and the commands that look at them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stepweave.cli.found import find_run, open_records, status_now
from stepweave.cli.main import execute
from stepweave.embedded.processes import is_alive, started_at
from stepweave.errors import UsageError
from stepweave.stores.layout import log_key, task_prefix
from stepweave.stores.objects import open_store
from stepweave.stores.record_writer import RecordWriter
from stepweave.stores.records import DATABASE, RunRow


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store with a run that succeeded, one that failed and one whose process is gone."""
    folder = str(tmp_path / "runs")
    with RecordWriter(os.path.join(folder, DATABASE)) as writer:
        writer.start_run(
            RunRow(run_id="sales-1a", dag_id="sales", status="success", started_at=10.0, ended_at=12.5)
        )
        writer.start_run(
            RunRow(
                run_id="sales-1b",
                dag_id="sales",
                status="failed",
                started_at=20.0,
                ended_at=21.0,
                error="load failed",
            )
        )
        record = json.dumps({"status": "success", "value": '{"rows":3}'})
        writer.update_task("sales-1b", "load", status="success", attempts=2, scheduled_at=20.1, record=record)
        writer.update_task(
            "sales-1b",
            "fit",
            status="failed",
            attempts=1,
            scheduled_at=20.5,
            error_type="DataError",
            error_message="no rows",
        )
        writer.start_run(
            RunRow(
                run_id="other-1",
                dag_id="other",
                status="running",
                started_at=30.0,
                pid=2**22 + 1,
                pid_started_at=1.0,
            )
        )
    objects = open_store(folder)
    for attempt, text in enumerate(("first try\n", "second try\n")):
        objects.put(log_key(task_prefix("sales", "sales-1b", "load"), attempt), text.encode())
    return folder


def test_latest_is_no_run_inside_another_though_that_began_later(store: str) -> None:
    with RecordWriter(os.path.join(store, DATABASE)) as writer:
        writer.start_run(
            RunRow(run_id="other-1.fit", dag_id="fit", status="running", started_at=31.0, parent="other-1")
        )
    assert find_run(open_records(store), "latest", store).run_id == "other-1"


@pytest.mark.parametrize(
    "name, run_id", [("latest", "other-1"), ("sales-1a", "sales-1a"), ("oth", "other-1")]
)
def test_a_run_is_found_by_its_id_its_beginning_or_as_the_latest(store: str, name: str, run_id: str) -> None:
    assert find_run(open_records(store), name, store).run_id == run_id


def test_an_ambiguous_beginning_lists_what_it_could_mean(store: str) -> None:
    with pytest.raises(UsageError, match=r"beginning of 2 run ids.*\n  sales-1b\n  sales-1a"):
        find_run(open_records(store), "sales", store)


def test_an_unknown_run_is_an_error_that_says_where_was_looked(store: str) -> None:
    with pytest.raises(UsageError, match="no run id begins with 'nope'"):
        find_run(open_records(store), "nope", store)


def test_an_empty_store_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="stepweave run TARGET"):
        find_run(open_records(str(tmp_path)), "latest", str(tmp_path))


def test_a_run_whose_process_is_gone_has_failed(store: str) -> None:
    row = find_run(open_records(store), "other-1", store)
    assert row.status == "running"
    assert status_now(row) == "failed"


def test_runs_are_listed_newest_first(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["runs", "--store", store]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["other-1", "failed"],
        ["sales-1b", "failed"],
        ["sales-1a", "success"],
    ]
    assert "load failed" in lines[2]


def test_runs_of_one_dag_as_json(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["runs", "sales", "--store", store, "--json"]) == 0
    runs = json.loads(capfd.readouterr().out)["runs"]
    assert [(run["run_id"], run["wall_seconds"]) for run in runs] == [("sales-1b", 1.0), ("sales-1a", 2.5)]


def test_no_runs_say_how_to_start_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["runs", "--store", str(tmp_path)]) == 0
    assert "stepweave run TARGET" in capfd.readouterr().out


def test_a_run_is_shown_with_its_tasks(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["show", "sales-1b", "--store", store]) == 0
    out = capfd.readouterr().out
    assert "error    load failed" in out
    assert "DataError: no rows" in out
    assert out.index("load ") < out.index("fit ")


def test_a_run_is_shown_as_json(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["show", "sales-1b", "--store", store, "--json"]) == 0
    tasks = json.loads(capfd.readouterr().out)["tasks"]
    assert tasks["load"] == {
        "status": "success",
        "attempts": 2,
        "duration_seconds": 0.0,
        "value": {"rows": 3},
    }
    assert tasks["fit"]["error"] == {"type": "DataError", "message": "no rows"}


def test_logs_of_all_attempts_come_with_a_head(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["logs", "sales-1b", "--store", store]) == 0
    out = capfd.readouterr().out
    assert out == "==> load, attempt 1 <==\nfirst try\n==> load, attempt 2 <==\nsecond try\n"


def test_the_log_of_one_attempt_comes_alone(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["logs", "sales-1b", "load", "--attempt", "2", "--store", store]) == 0
    assert capfd.readouterr().out == "second try\n"


def test_logs_of_an_unknown_task_name_those_there_are(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["logs", "sales-1b", "lod", "--store", store]) == 2
    assert "tasks: load, fit" in capfd.readouterr().err


def test_cancelling_a_run_whose_process_is_gone_marks_it(
    store: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert execute(["cancel", "other-1", "--store", store, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["status"] == "cancelled"
    assert find_run(open_records(store), "other-1", store).status == "cancelled"


def test_cancelling_a_run_that_has_ended_changes_nothing(
    store: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert execute(["cancel", "sales-1a", "--store", store]) == 0
    assert capfd.readouterr().out == "sales-1a: success already\n"


def test_a_process_is_known_by_its_id_and_its_start() -> None:
    mine = started_at(os.getpid())
    assert mine is not None
    assert mine <= time.time()
    assert is_alive(os.getpid(), mine)
    assert not is_alive(os.getpid(), mine - 100)
    assert not is_alive(None, None)


def test_a_process_that_has_ended_is_not_alive() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        began = started_at(child.pid)
        assert is_alive(child.pid, began)
        child.communicate(b"\n")
        assert not is_alive(child.pid, began)


@pytest.fixture
def mapped_store(tmp_path: Path) -> str:
    """A store with a run that has a map, and a run inside it."""
    folder = str(tmp_path / "mapped")
    with RecordWriter(os.path.join(folder, DATABASE)) as writer:
        writer.start_run(RunRow(run_id="m-1", dag_id="m", status="failed", started_at=1.0, ended_at=2.0))
        writer.start_run(
            RunRow(run_id="m-1.inner", dag_id="inner", status="success", started_at=1.5, parent="m-1")
        )
        writer.start_run(RunRow(run_id="later", dag_id="m", status="success", started_at=3.0))
        detail = json.dumps({"items": {"total": 11, "success": 10, "failed": 1, "skipped": 0}})
        writer.update_task("m-1", "fit", status="failed", scheduled_at=1.0, detail=detail)
        for index in range(11):
            failed = {"status": "failed", "error_type": "DataError", "error_message": "no rows"}
            changes = failed if index == 10 else {"status": "success"}
            writer.update_task("m-1", "fit", str(index), label=f"v{index}", scheduled_at=1.0, **changes)
    return folder


def test_show_tells_counts_and_failed_items_and_all_of_them_when_asked(
    mapped_store: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert execute(["show", "m-1", "--store", mapped_store]) == 0
    out = capfd.readouterr().out
    assert "11/11 · 1 failed" in out
    assert "fit[10 v10]  failed" in out
    assert "fit[3 v3]" not in out
    assert "m-1.inner success" in out
    assert execute(["show", "m-1", "--items", "--store", mapped_store]) == 0
    assert "fit[3 v3]" in capfd.readouterr().out


def test_show_json_has_the_items_of_a_map_in_their_order(
    mapped_store: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert execute(["show", "m-1", "--store", mapped_store, "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    items = answer["tasks"]["fit"]["map"]
    assert [item["index"] for item in items] == [str(index) for index in range(11)]
    assert items[10]["error"] == {"type": "DataError", "message": "no rows"}
    assert items[10]["label"] == "v10"
    assert [run["run_id"] for run in answer["runs"]] == ["m-1.inner"]


def test_runs_inside_a_run_are_listed_below_it(mapped_store: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["runs", "--store", mapped_store]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split("  ")[0] or line[:11].strip() for line in lines[1:]] == ["later", "m-1", "m-1.inner"]


def test_a_run_inside_another_is_resumed_with_that_one(
    mapped_store: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with RecordWriter(os.path.join(mapped_store, DATABASE)) as writer:
        writer.update_run("m-1.inner", status="failed")
    assert execute(["resume", "m-1.inner", "--store", mapped_store]) == 2
    assert "is a task of run m-1" in capfd.readouterr().err
