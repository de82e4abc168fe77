import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from stepweave.errors import StoreError, UsageError
from stepweave.stores.record_writer import RecordWriter
from stepweave.stores.records import Records, RunRow, TaskRunRow, database_path


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".stepweave" / "stepweave.db"


def test_a_database_that_is_not_there_has_no_runs(path):
    records = Records(path)
    assert records.runs() == []
    assert records.run("r1") is None
    assert records.task_runs("r1") == []
    assert records.durations("churn") == {}
    assert not path.exists()


def test_a_run_is_seen_as_soon_as_it_is_started(path):
    row = RunRow(run_id="r1", dag_id="churn", target="churn.py", params='{"a":1}', started_at=1.5, pid=7)
    with RecordWriter(path) as writer:
        writer.start_run(row)
        assert Records(path).run("r1") == row


def test_changes_of_a_task_run_are_merged(path):
    with RecordWriter(path) as writer:
        writer.start_run(RunRow(run_id="r1", dag_id="churn"))
        writer.update_task("r1", "train", status="running", started_at=1.0, attempts=1)
        writer.flush()
        writer.update_task("r1", "train", status="success", ended_at=3.0)
        writer.update_task("r1", "train", duration_seconds=2.0)
    assert Records(path).task_runs("r1") == [
        TaskRunRow(
            run_id="r1",
            task_id="train",
            status="success",
            attempts=1,
            started_at=1.0,
            ended_at=3.0,
            duration_seconds=2.0,
        )
    ]


def test_indexes_of_a_mapped_task_are_rows_of_their_own(path):
    with RecordWriter(path) as writer:
        for index in range(3):
            writer.update_task("r1", "train", f"{index}", status="success", label=f"item {index}")
        writer.update_task("r1", "split", status="failed", error_type="ValueError", error_message="no")
    rows = Records(path).task_runs("r1")
    assert [(row.task_id, row.map_index) for row in rows] == [
        ("split", ""),
        ("train", "0"),
        ("train", "1"),
        ("train", "2"),
    ]


def test_readers_see_live_state_without_a_flush(path):
    with RecordWriter(path) as writer:
        writer.update_task("r1", "train", status="running")
        for _ in range(200):
            if Records(path).task_runs("r1"):
                break
            time.sleep(0.02)
        assert Records(path).task_runs("r1")[0].status == "running"


def test_runs_come_newest_first(path):
    with RecordWriter(path) as writer:
        for number in range(3):
            writer.start_run(
                RunRow(run_id=f"r{number}", dag_id="churn" if number < 2 else "other", started_at=number)
            )
    records = Records(path)
    assert [row.run_id for row in records.runs()] == ["r2", "r1", "r0"]
    assert [row.run_id for row in records.runs("churn")] == ["r1", "r0"]
    assert [row.run_id for row in records.runs(limit=1)] == ["r2"]


def test_a_run_is_found_by_the_beginning_of_its_id(path):
    with RecordWriter(path) as writer:
        for run_id in ("abc", "abd", "ab", "x_"):
            writer.start_run(RunRow(run_id=run_id, dag_id="churn"))
    records = Records(path)
    assert {row.run_id for row in records.find("a")} == {"abc", "abd", "ab"}
    assert [row.run_id for row in records.find("ab")] == ["ab"]
    assert records.find("_") == []


def test_durations_are_those_of_successful_runs(path):
    with RecordWriter(path) as writer:
        for run_id, status, seconds in (
            ("r1", "success", 1.0),
            ("r2", "success", 3.0),
            ("r3", "failed", 100.0),
        ):
            writer.start_run(RunRow(run_id=run_id, dag_id="churn", status=status))
            writer.update_task(run_id, "train", status="success", duration_seconds=seconds)
    assert Records(path).durations("churn") == {"train": 2.0}


def test_an_unknown_column_is_refused(path):
    with RecordWriter(path) as writer, pytest.raises(UsageError, match="unknown column 'colour'"):
        writer.update_task("r1", "train", colour="red")


def test_a_resumed_run_keeps_its_task_runs(path):
    with RecordWriter(path) as writer:
        writer.start_run(RunRow(run_id="r1", dag_id="churn", status="failed"))
        writer.update_task("r1", "split", status="success")
    with RecordWriter(path) as writer:
        writer.start_run(RunRow(run_id="r1", dag_id="churn", status="running", resumes=1))
    assert Records(path).run("r1").resumes == 1
    assert len(Records(path).task_runs("r1")) == 1


def test_a_newer_schema_is_refused_with_the_remedy(path):
    RecordWriter(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    for use in (lambda: RecordWriter(path), lambda: Records(path).runs()):
        with pytest.raises(StoreError, match=r"schema version 99, expected 3.*upgrade stepweave"):
            use()


def test_a_value_that_sqlite_refuses_is_reported_on_close(path):
    writer = RecordWriter(path)
    writer.update_task("r1", "train", attempts="many")
    with pytest.raises(StoreError, match="cannot write the records"):
        writer.close()


def test_close_may_be_called_twice(path):
    writer = RecordWriter(path)
    writer.close()
    writer.close()


def test_many_threads_lose_no_change(path):
    def work(number):
        for step in range(50):
            writer.update_task("r1", f"t{number}", attempts=step + 1)

    with RecordWriter(path, flush_seconds=0.001) as writer:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [row.attempts for row in Records(path).task_runs("r1")] == [50] * 4


def test_what_was_flushed_survives_a_killed_process(path):
    code = (
        "import sys, time\n"
        "from stepweave.stores.record_writer import RecordWriter\n"
        "from stepweave.stores.records import RunRow\n"
        f"writer = RecordWriter({str(path)!r})\n"
        "writer.start_run(RunRow(run_id='r1', dag_id='churn', status='running'))\n"
        "print('written', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    assert Records(path).run("r1").status == "running"
    with RecordWriter(path) as writer:
        writer.update_run("r1", status="failed")
    assert Records(path).run("r1").status == "failed"


def test_a_database_that_is_being_made_has_no_runs(path):
    path.parent.mkdir()
    sqlite3.connect(path).close()
    assert Records(path).runs() == []
    assert Records(path).durations("sales") == {}


def test_the_folder_of_a_database_may_have_any_name(tmp_path):
    path = tmp_path / "50% a?b#c" / "stepweave.db"
    with RecordWriter(path) as writer:
        writer.start_run(RunRow(run_id="r1", dag_id="churn"))
    assert [row.run_id for row in Records(path).runs()] == ["r1"]


@pytest.mark.parametrize(
    "store, expected",
    [
        (".stepweave", ".stepweave/stepweave.db"),
        ("file:///data/a%20b", "/data/a b/stepweave.db"),
        ("s3://bucket/x/", ".stepweave/remote/s3%3A%2F%2Fbucket%2Fx/stepweave.db"),
    ],
)
def test_each_store_has_its_database(store, expected):
    assert database_path(store) == expected


def test_of_several_that_go_on_with_a_run_one_may(path):
    first = RunRow(run_id="r1", dag_id="churn", status="running", pid=1)
    with RecordWriter(path) as writer:
        assert writer.claim_run(first, None)
        assert not writer.claim_run(RunRow(run_id="r1", dag_id="churn", status="running", pid=2), None)
        assert Records(path).run("r1") == first
        again = RunRow(run_id="r1", dag_id="churn", status="running", pid=3, resumes=1)
        assert writer.claim_run(again, first)
        assert not writer.claim_run(RunRow(run_id="r1", dag_id="churn", status="running", pid=4), first)
        assert Records(path).run("r1") == again
