"""What is cleaned up after a run that was stopped: by a signal, by another process, by its own time-out, by a crash."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stepweave.authoring.dags import Dag
from stepweave.embedded.control import tell
from stepweave.embedded.request import RunRequest
from stepweave.embedded.run import run_dag
from stepweave.stores.records import Records, database_path

MakeDag = Callable[..., Dag]

CLEANED = """
    @task(setup=True)
    def cluster() -> str:
        Path("cluster").touch()
        return "c1"

    @task
    def undo_pay(result: dict, amount: int) -> None:
        Path("undone").write_text(f"{result['id']} {amount}")

    @task(compensate=undo_pay)
    def pay(amount: int) -> dict:
        return {"id": 7}

    @task
    def slow(paid: dict) -> int:
        Path("slow").touch()
        if not Path("fast").exists():
            time.sleep(60)
        return 1

    @task(teardown=True)
    def drop(name: str) -> None:
        Path("cluster").unlink()

    @dag
    def cleaned():
        up = cluster()
        work = slow(pay(5))
        up >> work >> drop(up)

    @dag
    def around():
        cleaned.as_execution()

    @dag(timeout=1)
    def timed():
        up = cluster()
        work = slow(pay(5))
        up >> work >> drop(up)
"""


def by_signal() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def by_socket() -> None:
    assert tell(".stepweave", "r1", {"do": "cancel"})


@pytest.mark.parametrize("stop", [by_signal, by_socket])
def test_a_cancelled_run_is_torn_down_and_undone(dag_of: MakeDag, stop: Callable[[], None]) -> None:
    def interrupt() -> None:
        while not Path("slow").exists():
            time.sleep(0.01)
        stop()

    dag = dag_of(CLEANED, "cleaned")
    thread = threading.Thread(target=interrupt)
    thread.start()
    result = run_dag(RunRequest(dag=dag, run_id="r1", workers=1))
    thread.join()
    assert result.status == "cancelled"
    assert {task: run.status for task, run in result.tasks.items()} == {
        "cluster": "success",
        "pay": "success",
        "slow": "failed",
        "drop": "success",
    }
    assert result.tasks["pay"].undone == "success"
    assert Path("undone").read_text() == "7 5"
    assert not Path("cluster").exists()


def test_a_run_that_took_too_long_is_torn_down_and_undone(dag_of: MakeDag) -> None:
    result = run_dag(RunRequest(dag=dag_of(CLEANED, "timed"), workers=1))
    assert result.error.startswith("States.Timeout")
    assert Path("undone").exists()
    assert not Path("cluster").exists()


def test_a_resumed_run_does_again_what_was_undone(dag_of: MakeDag) -> None:
    dag = dag_of(CLEANED, "timed")
    run_dag(RunRequest(dag=dag, run_id="r1", workers=1))
    Path("fast").touch()
    result = run_dag(RunRequest(dag=dag, run_id="r1", workers=1, resume=True))
    assert result.status == "success"
    assert not result.tasks["pay"].reused


def killed_run(dag: Dag) -> None:
    """Run ``dag`` in a child process that is killed while its slow task runs."""
    child = os.fork()
    if child == 0:
        run_dag(RunRequest(dag=dag, run_id="r1", workers=1, target="x"))
        os._exit(0)
    while not Path("slow").exists():
        time.sleep(0.01)
    time.sleep(0.2)  # until the records are on disk
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_run_whose_process_was_killed_is_cleaned_up_after(dag_of: MakeDag) -> None:
    dag = dag_of(CLEANED, "cleaned")
    killed_run(dag)
    assert Path("cluster").exists()
    result = run_dag(RunRequest(dag=dag, run_id="r1", workers=1, resume=True, stopped=True))
    assert result.status == "cancelled"
    assert Path("undone").exists()
    assert not Path("cluster").exists()
    rows = {row.task_id: row for row in Records(database_path(".stepweave")).task_runs("r1")}
    assert rows["slow"].error_message == "the process of the run ended"
    assert rows["pay"].detail == '{"undone": "success"}'


def test_a_run_inside_one_whose_process_was_killed_is_cleaned_up_after_too(dag_of: MakeDag) -> None:
    dag = dag_of(CLEANED, "around")
    killed_run(dag)
    result = run_dag(RunRequest(dag=dag, run_id="r1", workers=1, resume=True, stopped=True))
    assert result.status == "cancelled"
    assert Path("undone").exists()
    assert not Path("cluster").exists()
    (inside,) = Records(database_path(".stepweave")).children("r1")
    assert inside.status == "cancelled"
