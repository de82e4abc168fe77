"""DAGs run on this machine: in worker processes, inline, as Batch jobs; failed, resumed and cancelled."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stepweave.authoring.dags import Dag
from stepweave.embedded.request import RunRequest
from stepweave.embedded.result import RunResult
from stepweave.embedded.run import run_dag
from stepweave.embedded.taskruns import TaskRun
from stepweave.embedded.values import json_value
from stepweave.errors import ParamsError, UsageError
from stepweave.stores.objects import open_store
from stepweave.stores.records import DATABASE, Records

MakeDag = Callable[..., Dag]

N_SHAPE = """
    @task
    def a(seconds: float) -> int:
        time.sleep(seconds)
        return 1

    @task
    def b() -> int:
        return 2

    @task
    def c(x: int, y: int) -> int:
        return x + y

    @task
    def d(y: int) -> int:
        return 10 * y

    @dag
    def n_shape(seconds: float = 0.4):
        y = b()
        c(a(seconds), y)
        d(y)
"""

FAILING = """
    @task
    def load() -> list[int]:
        return [1, 2, 3]

    @task(retries=1, retry_delay=1)
    def flaky(rows: list[int]) -> int:
        if get_current_context().attempt == 0:
            raise ConnectionError("reset")
        return len(rows)

    @task
    def broken(rows: list[int]) -> int:
        print("looking for rows")
        os.system("echo from a child")
        if not Path("fixed").exists():
            raise DataError("no rows on monday")
        return 7

    @task
    def none_today() -> int:
        raise Skip("nothing today")

    @task
    def double(x: int) -> int:
        return 2 * x

    @dag
    def failing():
        rows = load()
        double(flaky(rows))
        double.override(task_id="after_broken")(broken(rows))
        double.override(task_id="after_skip")(none_today())
"""


def run_it(dag: Dag, **settings: object) -> RunResult:
    return run_dag(RunRequest(dag=dag, **settings))  # type: ignore[arg-type]


def values_of(result: RunResult) -> dict[str, str | None]:
    store = open_store(result.store)
    return {
        task: json_value(store, result.dag_id, result.run_id, task, run.value, 1000)
        for task, run in result.tasks.items()
    }


def statuses_of(result: RunResult) -> dict[str, str | None]:
    return {task: run.status for task, run in result.tasks.items()}


@pytest.mark.parametrize("inline", [False, True], ids=["workers", "inline"])
def test_values_flow_through_a_graph_that_is_not_series_parallel(dag_of: MakeDag, inline: bool) -> None:
    result = run_it(dag_of(N_SHAPE), params={"seconds": 0}, inline=inline)
    assert result.status == "success"
    assert values_of(result) == {"b": "2", "a": "1", "c": "3", "d": "20"}
    assert dict(result.results) == {"c": "3", "d": "20"}


def test_a_task_starts_as_soon_as_its_own_upstream_has_ended(dag_of: MakeDag) -> None:
    tasks = run_it(dag_of(N_SHAPE), params={"seconds": 1.0}, workers=2).tasks
    assert tasks["d"].ended is not None
    assert tasks["a"].ended is not None
    assert tasks["d"].ended < tasks["a"].ended


def test_a_failure_stops_what_depends_on_it_and_nothing_else(dag_of: MakeDag) -> None:
    result = run_it(dag_of(FAILING))
    assert result.status == "failed"
    assert statuses_of(result) == {
        "load": "success",
        "flaky": "success",
        "double": "success",
        "broken": "failed",
        "after_broken": "upstream_failed",
        "none_today": "skipped",
        "after_skip": "skipped",
    }
    assert result.tasks["flaky"].attempts == 2
    broken = result.tasks["broken"]
    assert (broken.error, broken.message) == ("DataError", "no rows on monday")
    assert result.tasks["none_today"].message == "nothing today"
    assert "broken" in result.error


def test_the_log_of_a_failed_task_holds_what_it_printed_and_what_its_children_printed(
    dag_of: MakeDag,
) -> None:
    result = run_it(dag_of(FAILING))
    log = Path(result.log_paths["broken", ""]).read_text()
    assert log.startswith("looking for rows\n")
    assert "DataError: no rows on monday\n" in log
    assert "from a child\n" in log


def test_observers_hear_of_a_retry(dag_of: MakeDag) -> None:
    heard: list[tuple[str, str | None]] = []

    def hear(run: TaskRun) -> None:
        heard.append((run.task, run.status))

    run_dag(RunRequest(dag=dag_of(FAILING)), observers=[hear])
    flaky = [status for task, status in heard if task == "flaky"]
    assert flaky == ["scheduled", "running", "up_for_retry", "scheduled", "running", "success"]


def test_a_resumed_run_reuses_what_succeeded_and_runs_the_rest(dag_of: MakeDag) -> None:
    dag = dag_of(FAILING)
    first = run_it(dag, run_id="r1")
    Path("fixed").touch()
    second = run_it(dag, run_id="r1", resume=True)
    assert first.run_id == second.run_id
    assert second.status == "success"
    reused = {task for task, run in second.tasks.items() if run.reused}
    assert reused == {"load", "flaky", "double"}
    assert values_of(second)["after_broken"] == "14"
    row = Records(os.path.join(".stepweave", DATABASE)).run("r1")
    assert row is not None
    assert (row.status, row.resumes, row.error) == ("success", 1, None)


def test_records_tell_how_each_task_ended(dag_of: MakeDag) -> None:
    run_it(dag_of(FAILING), run_id="r1", target="flow.py")
    records = Records(os.path.join(".stepweave", DATABASE))
    row = records.run("r1")
    assert row is not None
    assert (row.dag_id, row.target, row.status, row.pid) == ("failing", "flow.py", "failed", os.getpid())
    rows = {task.task_id: task for task in records.task_runs("r1")}
    assert rows["broken"].error_message == "no rows on monday"
    assert rows["after_broken"].by == "broken"
    assert rows["flaky"].attempts == 2
    assert rows["load"].duration_seconds is not None
    assert rows["load"].record is not None


def test_a_run_id_is_used_once(dag_of: MakeDag) -> None:
    dag = dag_of(N_SHAPE)
    run_it(dag, run_id="mine", inline=True, params={"seconds": 0})
    with pytest.raises(UsageError, match="a run 'mine' exists"):
        run_it(dag, run_id="mine", inline=True, params={"seconds": 0})


def test_wrong_params_are_told_before_anything_runs(dag_of: MakeDag, tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="seconds"):
        run_it(dag_of(N_SHAPE), params={"seconds": "soon"})
    assert not (tmp_path / ".stepweave").exists()


def test_a_worker_that_dies_fails_its_task_and_no_other(dag_of: MakeDag) -> None:
    dag = dag_of("""
        @task
        def dies() -> int:
            os.kill(os.getpid(), signal.SIGKILL)

        @task
        def lives() -> int:
            return 1

        @dag
        def deadly():
            dies()
            lives()
    """)
    result = run_it(dag, workers=1)
    assert statuses_of(result) == {"dies": "failed", "lives": "success"}
    assert result.tasks["dies"].error == "Lambda.Unknown"
    assert "SIGKILL" in result.tasks["dies"].message


JOB = """
    @task(cpu=1, gpu=1, retries=1, retry_delay=1)
    def train(rows: list[int]) -> int:
        print("training on", len(rows))
        if not Path("data").exists():
            Path("data").touch()
            raise ConnectionError("not there yet")
        return sum(rows)

    @task
    def load() -> list[int]:
        return [1, 2, 3]

    @task
    def report(total: int) -> str:
        return f"total {total}"

    @dag
    def jobs():
        report(train(load()))
"""


def test_a_task_that_needs_a_gpu_runs_as_a_job_of_its_own(dag_of: MakeDag) -> None:
    result = run_it(dag_of(JOB))
    assert result.status == "success"
    assert values_of(result)["report"] == '"total 6"'
    train = result.tasks["train"]
    assert train.attempts == 2
    log = Path(".stepweave/runs/jobs") / result.run_id / "train" / "logs" / "1.log"
    assert log.read_text().startswith("training on 3\n")


def test_a_job_that_was_committed_is_not_run_again(dag_of: MakeDag) -> None:
    dag = dag_of(JOB)
    run_it(dag, run_id="r1")
    again = run_it(dag, run_id="r1", resume=True)
    assert again.status == "success"
    assert again.tasks["train"].reused


def test_a_job_that_fails_tells_the_error_of_the_task(dag_of: MakeDag) -> None:
    dag = dag_of("""
        @task(gpu=1)
        def train() -> int:
            raise DataError("no labels")

        @dag
        def job():
            train()
    """)
    result = run_it(dag)
    assert result.status == "failed"
    assert (result.tasks["train"].error, result.tasks["train"].message) == ("DataError", "no labels")


@pytest.mark.parametrize("inline", [False, True], ids=["workers", "inline"])
def test_an_interrupted_run_is_cancelled_and_can_be_resumed(dag_of: MakeDag, inline: bool) -> None:
    dag = dag_of("""
        @task
        def quick() -> int:
            return 1

        @task
        def slow(x: int) -> int:
            Path("slow").touch()
            if not Path("fast").exists():
                time.sleep(60)
            return x

        @task
        def after(x: int) -> int:
            return x

        @dag
        def interrupted():
            after(slow(quick()))
    """)
    told: list[bool] = []

    def interrupt() -> None:
        while not Path("slow").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=interrupt)
    thread.start()
    result = run_dag(RunRequest(dag=dag, run_id="r1", inline=inline), on_interrupt=told.append)
    thread.join()
    assert result.status == "cancelled"
    assert told == [False]
    assert statuses_of(result) == {"quick": "success", "slow": "failed", "after": None}
    assert result.tasks["slow"].error == "Cancelled"
    assert signal.getsignal(signal.SIGINT) is before
    row = Records(os.path.join(".stepweave", DATABASE)).run("r1")
    assert row is not None
    assert row.status == "cancelled"

    Path("fast").touch()
    assert run_it(dag, run_id="r1", resume=True, inline=inline).status == "success"


def test_a_run_outside_the_main_thread_leaves_signals_alone(dag_of: MakeDag) -> None:
    dag = dag_of(N_SHAPE)
    results: list[RunResult] = []
    thread = threading.Thread(target=lambda: results.append(run_it(dag, params={"seconds": 0}, inline=True)))
    thread.start()
    thread.join()
    assert results[0].status == "success"


def test_a_path_that_a_task_returns_is_named_among_the_results(dag_of: MakeDag) -> None:
    dag = dag_of("""
        @task
        def report() -> Path:
            path = get_current_context().scratch / "report.html"
            path.write_text("<p>good</p>")
            return path

        @task(teardown=True)
        def clean() -> None: ...

        @dag
        def reports():
            report() >> clean()
    """)
    result = run_it(dag, inline=True)
    ((task, place),) = result.results
    assert task == "report"
    assert Path(place).read_text() == "<p>good</p>"


def test_where_the_time_went_adds_up(dag_of: MakeDag) -> None:
    breakdown = run_it(dag_of(N_SHAPE), params={"seconds": 0.3}).breakdown
    assert [step.task for step in breakdown.path] == ["a", "c"]
    parts = breakdown.working_seconds + breakdown.queued_seconds + breakdown.overhead_seconds
    assert parts == pytest.approx(breakdown.wall_seconds)


ENDLESS = """
    @task
    def endless() -> int:
        time.sleep(60)

    @task
    def breaks() -> int:
        time.sleep(0.2)
        raise DataError("bad")

    @dag(timeout=1)
    def too_long():
        endless()

    @dag(fail_fast=True)
    def impatient():
        endless()
        breaks()
"""


IMPATIENT = """
import time
from stepweave import Retry, dag, get_current_context, task

@task(timeout="1s", retry=Retry(attempts=1, delay="1s", jitter=False))
def hangs() -> int:
    attempt = get_current_context().attempt
    time.sleep(60 if attempt == 0 else 0)
    return attempt

@dag
def impatient():
    hangs()
"""


def test_an_attempt_that_takes_too_long_is_made_again(dag_of: MakeDag) -> None:
    result = run_it(dag_of(IMPATIENT, "impatient"))
    assert statuses_of(result) == {"hangs": "success"}
    assert result.tasks["hangs"].attempts == 2


def test_a_dag_with_a_timeout_ends_in_time_and_says_so(dag_of: MakeDag) -> None:
    result = run_it(dag_of(ENDLESS, "too_long"))
    assert result.status == "failed"
    assert result.error == "States.Timeout: the run took longer than the DAG's timeout"
    assert statuses_of(result) == {"endless": "failed"}


def test_a_dag_that_fails_fast_stops_what_still_runs(dag_of: MakeDag) -> None:
    result = run_it(dag_of(ENDLESS, "impatient"))
    assert result.status == "failed"
    assert statuses_of(result) == {"endless": "failed", "breaks": "failed"}
    assert result.error == "DataError: bad"
    assert result.tasks["endless"].error == "Cancelled"
    assert result.tasks["breaks"].error == "DataError"
