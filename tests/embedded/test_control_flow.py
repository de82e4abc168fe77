"""DAGs with conditions, maps, loops, sensors, approvals and DAGs inside them, run on this machine."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stepweave.authoring.dags import Dag
from stepweave.embedded.approvals import approve
from stepweave.embedded.node_values import NodeValues, NoValue
from stepweave.embedded.request import RunRequest
from stepweave.embedded.result import RunResult
from stepweave.embedded.run import run_dag
from stepweave.embedded.taskruns import TaskRun
from stepweave.errors import UsageError
from stepweave.runtime.approvals import pending
from stepweave.stores.layout import status_key, task_prefix
from stepweave.stores.objects import open_store
from stepweave.stores.records import Records, database_path

MakeDag = Callable[..., Dag]

MORE = """
from stepweave import Elif, Else, If, Loop, approval, task_group

"""


def run_it(dag: Dag, **settings: object) -> RunResult:
    return run_dag(RunRequest(dag=dag, workers=1, **settings))  # type: ignore[arg-type]


def statuses_of(result: RunResult) -> dict[str, str | None]:
    return {task: run.status for task, run in result.tasks.items()}


def items_of(result: RunResult, task: str) -> dict[str, str | None]:
    return {run.index: run.status for run in result.maps.get(task, [])}


def value_of(result: RunResult, task: str) -> object:
    return NodeValues(result, open_store(result.store)).of(result.tasks[task], 10_000)


CHOICE = (
    MORE
    + """
@task
def score(auc: float) -> dict:
    return {"auc": auc}

@task
def deploy(best: dict) -> str:
    return "deployed"

@task
def alert(best: dict) -> str:
    return "alerted"

@dag
def choice(auc: float):
    best = score(auc)
    with If(best["auc"] >= 0.8) as gate:
        deploy(best)
    with Else():
        alert(best)
"""
)


@pytest.mark.parametrize(
    "auc, chosen, ran, skipped", [(0.9, "if", "deploy", "alert"), (0.1, "else", "alert", "deploy")]
)
def test_a_condition_tells_what_it_chose_and_the_other_block_is_skipped(
    dag_of: MakeDag, auc: float, chosen: str, ran: str, skipped: str
) -> None:
    result = run_it(dag_of(CHOICE), params={"auc": auc})
    assert result.status == "success"
    assert result.tasks["if"].chosen == (chosen,)
    assert statuses_of(result) == {"score": "success", "if": "success", ran: "success", skipped: "skipped"}


MAPPED = (
    MORE
    + """
@task
def numbers(n: int) -> list[int]:
    return list(range(n))

@task(tolerated_failures=1)
def double(x: int) -> int:
    if x == 2 and not Path("fixed").exists():
        raise DataError("not two")
    if x == 3:
        raise Skip("three is enough")
    with open("calls", "a") as calls:
        calls.write(f"{x}\\n")
    return 2 * x

@task
def total(xs: list[int]) -> int:
    return sum(xs)

@dag
def mapped(n: int = 5):
    total(double.expand(x=numbers(n)))
"""
)


def test_each_item_of_a_map_has_its_own_status_and_the_map_counts_them(dag_of: MakeDag) -> None:
    result = run_it(dag_of(MAPPED))
    assert result.status == "success"
    assert items_of(result, "double") == {
        "0": "success",
        "1": "success",
        "2": "failed",
        "3": "skipped",
        "4": "success",
    }
    items = result.tasks["double"].items
    assert items is not None
    assert (items.total, items.success, items.failed, items.skipped) == (5, 3, 1, 1)
    assert result.maps["double"][2].message == "not two"
    assert value_of(result, "double") == [0, 2, 8]
    assert value_of(result, "total") == 10


def test_a_map_without_items_is_skipped_and_so_is_what_needs_it(dag_of: MakeDag) -> None:
    result = run_it(dag_of(MAPPED), params={"n": 0})
    assert statuses_of(result) == {"numbers": "success", "double": "skipped", "total": "skipped"}
    assert result.maps == {}


def test_a_resumed_run_runs_only_the_items_that_failed(dag_of: MakeDag) -> None:
    dag = dag_of(MAPPED.replace("(tolerated_failures=1)", ""))
    first = run_it(dag, run_id="r1")
    assert statuses_of(first)["double"] == "failed"
    Path("fixed").touch()
    second = run_it(dag, run_id="r1", resume=True)
    assert second.status == "success"
    assert [run.reused for run in second.maps["double"]] == [True, True, False, False, True]
    assert Path("calls").read_text().split() == ["0", "1", "4", "2"]


def test_records_hold_each_item_and_the_counts_of_the_map(dag_of: MakeDag) -> None:
    run_it(dag_of(MAPPED), run_id="r1")
    rows = {(row.task_id, row.map_index): row for row in Records(database_path(".stepweave")).task_runs("r1")}
    assert rows["double", "2"].error_message == "not two"
    assert rows["double", "4"].status == "success"
    assert rows["double", ""].detail is not None
    assert '"failed": 1' in rows["double", ""].detail


GROUP = (
    MORE
    + """
@task
def fetch(name: str) -> str:
    return name.upper()

@task
def check(name: str) -> str:
    if name == "B":
        raise Skip("no b")
    if name == "C":
        raise DataError("bad c")
    return name + "!"

@task_group
def each(name: str):
    return check(fetch(name))

@task(trigger_rule="all_done")
def gather(names: list) -> list:
    return list(names)

@dag
def grouped():
    gather(each.expand(name=["a", "b", "c"]))
"""
)


def test_a_mapped_group_has_a_status_for_each_item_and_each_task_in_it(dag_of: MakeDag) -> None:
    result = run_it(dag_of(GROUP))
    assert items_of(result, "each") == {"0": "success", "1": "skipped", "2": "failed"}
    assert items_of(result, "each.fetch") == dict.fromkeys("012", "success")
    assert items_of(result, "each.check") == {"0": "success", "1": "skipped", "2": "failed"}
    assert statuses_of(result) == {
        "each": "failed",
        "each.fetch": "success",
        "each.check": "failed",
        "gather": "success",
    }
    assert value_of(result, "gather") == ["A!"]


LOOP = (
    MORE
    + """
@task
def halve(state: dict) -> dict:
    return {"left": state["left"] // 2}

@task
def show(state: dict) -> dict:
    return state

@dag
def halving(start: int = 9):
    with Loop({"left": start}, until=lambda state: state["left"] <= 1, max_rounds=5) as loop:
        loop.carry(halve(loop.state))
    show(loop.result)
"""
)


def test_a_loop_has_an_entry_for_each_round_and_the_value_of_the_last(dag_of: MakeDag) -> None:
    result = run_it(dag_of(LOOP), params={"start": 9})
    assert items_of(result, "loop.halve") == dict.fromkeys("012", "success")
    assert items_of(result, "loop") == dict.fromkeys("012", "success")
    assert value_of(result, "loop") == {"left": 1}
    assert value_of(result, "show") == {"left": 1}


def test_a_sensor_waits_between_its_pokes(dag_of: MakeDag) -> None:
    dag = dag_of("""
        @task.sensor(poke_interval="1s", timeout="1m")
        def ready() -> bool:
            was_there = Path("there").exists()
            Path("there").touch()
            return was_there

        @dag
        def sensing():
            ready()
    """)
    heard: list[str | None] = []

    def hear(run: TaskRun) -> None:
        heard.append(run.status)

    result = run_dag(RunRequest(dag=dag, workers=1), observers=[hear])
    assert result.status == "success"
    assert "waiting" in heard
    assert "failed" not in heard


NESTED = """
    @task
    def rows(n: int) -> int:
        if n < 0:
            raise DataError("negative")
        return n

    @task
    def report(total: int) -> str:
        return f"total {total}"

    @dag
    def inner(n: int = 2):
        return rows(n)

    @dag
    def outer(n: int = 3):
        report(inner.as_execution(n=n))
"""


def test_a_dag_inside_a_dag_is_a_run_of_its_own(dag_of: MakeDag) -> None:
    result = run_it(dag_of(NESTED, "outer"), run_id="r1")
    assert result.status == "success"
    assert value_of(result, "report") == "total 3"
    records = Records(database_path(".stepweave"))
    (child,) = records.children("r1")
    assert (child.run_id, child.dag_id, child.status, child.params) == (
        "r1.inner",
        "inner",
        "success",
        '{"n": 3}',
    )
    assert [row.task_id for row in records.task_runs("r1.inner")] == ["rows"]


def test_a_failure_inside_a_dag_inside_fails_its_task(dag_of: MakeDag) -> None:
    result = run_it(dag_of(NESTED, "outer"), run_id="r1", params={"n": -1})
    assert statuses_of(result) == {"inner": "failed", "report": "upstream_failed"}
    (child,) = Records(database_path(".stepweave")).children("r1")
    assert child.status == "failed"


def test_the_end_of_a_run_is_marked_for_other_dags(dag_of: MakeDag) -> None:
    dag = dag_of(LOOP)
    run_it(dag, run_id="r1")
    run_it(dag, run_id="r2", logical_date="2026-01-02T00:00:00+00:00")
    store = open_store(".stepweave")
    assert b'"status": "success"' in store.get(status_key("halving", "r1"))
    assert b'"run_id": "r2"' in store.get(status_key("halving", "2026-01-02T00:00:00+00:00"))


APPROVED = (
    MORE
    + """
@task
def deploy() -> str:
    return "deployed"

@dag
def release():
    approval("Deploy?", task_id="sign_off", approvers=["ada"]) >> deploy()
"""
)


def decide_later(approved: bool, problems: list[str]) -> threading.Thread:
    """A thread that decides as another process would, as soon as somebody is asked."""
    address = {"dag": "release", "run": "r1", "task": "sign_off", "index": ""}

    def work() -> None:
        store = open_store(".stepweave")
        while pending(store, task_prefix("release", "r1", "sign_off")) is None:
            time.sleep(0.01)
        for by in ("bob", "ada", "ada"):
            try:
                _, told = approve(".stepweave", "r1", **address, approved=approved, by=by, comment="fine")
                assert told
            except UsageError as error:
                problems.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize("approved, deployed", [(True, "success"), (False, "upstream_failed")])
def test_a_run_goes_on_when_a_person_has_decided_once(dag_of: MakeDag, approved: bool, deployed: str) -> None:
    dag, problems, waited = dag_of(APPROVED), list[str](), list[str]()

    def hear(run: TaskRun) -> None:
        if run.status == "waiting":
            waited.append(run.task)

    thread = decide_later(approved, problems)
    result = run_dag(RunRequest(dag=dag, run_id="r1", workers=1), observers=[hear])
    thread.join()
    assert waited == ["sign_off"]
    assert result.tasks["deploy"].status == deployed
    assert "'bob' may not decide this" in problems[0]
    assert "already, by ada" in problems[1]
    assert result.tasks["sign_off"].status == ("success" if approved else "failed")


def test_a_value_that_is_too_long_to_be_shown_is_none(dag_of: MakeDag) -> None:
    result = run_it(dag_of(MAPPED), params={"n": 5})
    with pytest.raises(NoValue):
        NodeValues(result, open_store(result.store)).of(result.tasks["double"], 2)


BATCHED = (
    MORE
    + """
@task
def days(n: int) -> list[int]:
    return [10 * number for number in range(n)]

@task(batch_size=2, map_label="day", tolerated_failures=1)
def measure(day: int) -> int:
    if day == 30:
        raise DataError("day 30 was lost")
    return day

@task(map_label="model")
def fit(seed: int, model: str) -> str:
    return f"{model}{seed}"

@dag
def batched(n: int = 5):
    measure.expand(day=days(n))
    fit.expand(seed=[1, 2], model=["a", "b"])
"""
)


def test_items_of_a_batch_are_told_one_by_one_with_their_labels(dag_of: MakeDag) -> None:
    result = run_it(dag_of(BATCHED))
    assert [(run.label, run.status) for run in result.maps["measure"]] == [
        ("0", "success"),
        ("10", "success"),
        ("20", "success"),
        ("30", "failed"),
        ("40", "success"),
    ]
    lost = result.maps["measure"][3]
    assert (lost.error, lost.message) == ("DataError", "day 30 was lost")
    assert [run.label for run in result.maps["fit"]] == ["a", "b", "a", "b"]
    assert value_of(result, "fit") == ["a1", "b1", "a2", "b2"]


SPECULATIVE = (
    MORE
    + """
@task
def audit() -> dict:
    time.sleep(0.5)
    return {"errors": 1 if Path("dirty").exists() else 0}

@task
def train() -> str:
    return "model"

@task
def publish(model: str) -> str:
    return model

@dag
def speculative():
    found = audit()
    with If(found["errors"] == 0, likely=True):
        model = train()
    publish(model)
"""
)


@pytest.mark.parametrize("is_dirty, status", [(False, "success"), (True, "skipped")])
def test_what_began_on_suspicion_counts_only_when_its_case_is_chosen(
    dag_of: MakeDag, is_dirty: bool, status: str
) -> None:
    dag = dag_of(SPECULATIVE)
    if is_dirty:
        Path("dirty").touch()
    result = run_it(dag)
    assert result.status == "success"
    found = statuses_of(result)
    assert {task: found[task] for task in ("likely", "likely.train", "publish")} == {
        "likely": status,
        "likely.train": status,
        "publish": status,
    }


def test_a_task_that_asks_to_be_called_later_waits_and_is_not_failed(dag_of: MakeDag) -> None:
    dag = dag_of("""
        from stepweave.errors import RetryAfter

        @task(retries=1)
        def download() -> int:
            if not Path("again").exists():
                Path("again").touch()
                raise RetryAfter(1, "503")
            return 1

        @task
        def read(pages: int) -> int:
            return pages

        @dag
        def put_off():
            read(download())
    """)
    heard: list[tuple[str, str | None]] = []

    def hear(run: TaskRun) -> None:
        heard.append((run.task, run.status))

    result = run_dag(RunRequest(dag=dag, workers=1), observers=[hear])
    assert result.tasks["download"].attempts == 2
    statuses = [status for task, status in heard if task == "download"]
    assert statuses == ["scheduled", "running", "waiting", "scheduled", "running", "success"]
    assert ("read", "upstream_failed") not in heard


def test_a_ladder_tells_on_which_rung_the_task_ended(dag_of: MakeDag) -> None:
    dag = dag_of("""
        @task
        def small() -> str:
            return "small"

        @task(degrade=small)
        def big() -> str:
            raise DataError("no room")

        @task
        def use(model: str) -> str:
            return model

        @dag
        def laddered():
            use(big())
    """)
    heard: list[tuple[str, str | None]] = []

    def hear(run: TaskRun) -> None:
        heard.append((run.task, run.status))

    result = run_dag(RunRequest(dag=dag, workers=1), observers=[hear])
    assert value_of(result, "use") == "small"
    assert result.tasks["big"].level == "small"
    assert ("big", "failed") not in heard
    assert ("use", "upstream_failed") not in heard


def test_an_optional_task_that_fails_is_skipped_with_its_error(dag_of: MakeDag) -> None:
    dag = dag_of("""
        @task(optional=True)
        def extra() -> int:
            raise DataError("not today")

        @dag
        def optional():
            extra()
    """)
    result = run_it(dag)
    assert result.status == "success"
    extra = result.tasks["extra"]
    assert (extra.status, extra.error, extra.message) == ("skipped", "DataError", "not today")


def test_the_chain_that_took_longest_goes_through_conditions(dag_of: MakeDag) -> None:
    result = run_it(dag_of(CHOICE), params={"auc": 0.9})
    assert [step.task for step in result.breakdown.path] == ["score", "if", "deploy"]


def test_only_what_is_needed_runs_when_asked(dag_of: MakeDag) -> None:
    result = run_it(dag_of(MAPPED), needed=("numbers",))
    assert statuses_of(result) == {"numbers": "success"}


def test_an_approval_in_a_dag_inside_is_told_outside_and_decided_there(dag_of: MakeDag) -> None:
    dag = dag_of(
        APPROVED + "\n@dag\ndef outer():\n    release.as_execution()\n",
        "outer",
    )
    waited: list[tuple[str, tuple[str, str] | None]] = []

    def decide() -> None:
        approve(
            ".stepweave",
            "r1",
            dag="release",
            run="r1.release",
            task="sign_off",
            index="",
            approved=True,
            by="ada",
        )

    def hear(run: TaskRun) -> None:
        if run.status == "waiting":
            waited.append((run.task, run.inside))
            threading.Timer(0.1, decide).start()

    result = run_dag(RunRequest(dag=dag, run_id="r1", workers=1), observers=[hear])
    assert result.status == "success"
    assert waited == [("sign_off", ("release", "r1.release"))]


GIVEN_UP = (
    MORE
    + """
@task
def same(n: int) -> int:
    return n

@dag
def given_up():
    with Loop(0, until=lambda n: n > 3, max_rounds=2, on_exhausted="fail") as loop:
        loop.carry(same(loop.state))
    approval("Deploy?", timeout=1)
"""
)


def test_who_gives_up_says_what_did_not_come(dag_of: MakeDag) -> None:
    result = run_it(dag_of(GIVEN_UP))
    assert {task: (run.error, run.message) for task, run in result.tasks.items() if run.error} == {
        "loop": ("LoopExhausted", "until did not hold after 2 rounds"),
        "approval": ("States.Timeout", "nobody decided in the time that was given"),
    }


UNCOMPARABLE = (
    MORE
    + """
@task(setup=True)
def make(folder: str) -> str:
    open(folder + "/made", "x").close()
    return folder

@task(teardown=True)
def remove(made: str) -> None:
    import os
    os.remove(made + "/made")

@task
def load(made: str):
    return {"n": "many"}

@task
def act(rows) -> None: ...

@dag
def uncomparable(folder: str):
    made = make(folder)
    rows = load(made)
    with If(rows["n"] > 1):
        act(rows)
    rows >> remove(made)
"""
)


def test_a_run_that_breaks_off_at_a_condition_is_cleaned_up_after(dag_of: MakeDag, tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    result = run_it(
        dag_of(UNCOMPARABLE, "uncomparable"), store=store, params={"folder": str(tmp_path)}, inline=True
    )
    assert result.status == "failed"
    assert "States.QueryEvaluationError" in result.error
    assert not (tmp_path / "made").exists()


LOST = (
    MORE
    + """
@task
def tenfold(x: int) -> int:
    return x * 10

@task
def check(x: int) -> int:
    if x == 2:
        raise ValueError("two")
    return x

@task_group
def each(x):
    value = tenfold(x)
    check(x)
    return value

@task(trigger_rule="all_done")
def show(values) -> list:
    return list(values)

@dag
def lost():
    show(each.expand(x=[1, 2, 3]))
"""
)


def test_items_of_a_failed_group_have_no_value_for_whoever_reads_it_all_the_same(dag_of: MakeDag) -> None:
    result = run_it(dag_of(LOST), inline=True)
    assert statuses_of(result)["each"] == "failed"
    assert value_of(result, "show") == [10, 30]
