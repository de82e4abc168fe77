"""A run seen through its histories on AWS has the task runs that it had on this machine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from stepweave.deployed.arns import machine_of
from stepweave.deployed.histories import Histories
from stepweave.deployed.statuses import RunStatuses
from stepweave.embedded.request import RunRequest
from stepweave.embedded.result import RunResult
from stepweave.embedded.run import run_dag
from stepweave.embedded.taskruns import Items, TaskRun
from stepweave.loading import load
from stepweave.stores.objects import open_store
from tests.deployed.engine_histories import Clients, EngineAsStepFunctions, engines_kept, event

FOLDER = Path(__file__).parents[2] / "statemachines" / "examples"
ALL_ITEMS = 1_000

EXAMPLES = [
    "e01_chain.py",
    "e04_retries_and_failure.py",
    "e08_mapping.py",
    "e14_loop.py",
    "e17_setup_teardown.py",
    "e19_fallbacks.py",
    "e20_compensation.py",
    "e21_replicas_and_hedging.py",
    "e22_speculation.py",
    "e26_limits_of_failure.py:patient",
    "e28_dispatch.py",
]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_history_of_a_run_tells_what_the_run_told(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, step_functions = ran(name, tmp_path, monkeypatch)
    statuses = statuses_of(result, step_functions)
    statuses.look()
    statuses.end()
    assert told(statuses) == expected(result)


@pytest.mark.parametrize(
    "name", ["e04_retries_and_failure.py", "e08_mapping.py", "e21_replicas_and_hedging.py"]
)
def test_a_run_that_is_followed_ends_as_one_that_is_looked_at_afterwards(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, step_functions = ran(name, tmp_path, monkeypatch)
    step_functions.page = 7
    statuses = statuses_of(result, step_functions)
    root = step_functions.root
    for shown in range(3, len(root.history) + 3, 3):
        step_functions.shown[root.arn] = shown
        statuses.look()
        assert statuses.has_ended == (shown >= len(root.history))
    statuses.end()
    assert told(statuses) == expected(result)


def test_each_change_is_told_as_it_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, step_functions = ran("e04_retries_and_failure.py", tmp_path, monkeypatch)
    heard: list[tuple[str, str | None]] = []
    statuses = statuses_of(result, step_functions, lambda run: heard.append((run.task, run.status)))
    statuses.look()
    retried = [task for task, status in heard if status == "up_for_retry"]
    assert retried
    for task in retried:
        of_task = [status for each, status in heard if each == task]
        assert of_task.index("scheduled") < of_task.index("running") < of_task.index("up_for_retry")


def test_a_run_that_goes_on_shows_what_runs_and_what_is_not_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, step_functions = ran("e01_chain.py", tmp_path, monkeypatch)
    root = step_functions.root
    kinds = root.history.kinds()
    step_functions.shown[root.arn] = kinds.index("TaskStarted") + 1
    statuses = statuses_of(result, step_functions)
    statuses.look()
    statuses.pause()
    found = [run.status for run in statuses.tasks().values()]
    assert found[0] == "running"
    assert set(found[1:]) == {None}


def test_a_failed_attempt_of_which_nothing_follows_yet_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, step_functions = ran("e04_retries_and_failure.py", tmp_path, monkeypatch)
    root = step_functions.root
    retried = retry_in(root.history.events())
    step_functions.shown[root.arn] = retried
    statuses = statuses_of(result, step_functions)
    statuses.look()
    assert "up_for_retry" not in [run.status for run in statuses.tasks().values()]
    statuses.look()
    assert "up_for_retry" in [run.status for run in statuses.tasks().values()]


def test_a_run_that_was_cut_off_has_failed_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, step_functions = ran("e01_chain.py", tmp_path, monkeypatch)
    root = step_functions.root
    step_functions.shown[root.arn] = root.history.kinds().index("TaskStarted") + 1
    statuses = statuses_of(result, step_functions)
    statuses.look()
    statuses.end()
    first, *others = statuses.tasks().values()
    assert (first.status, first.error) == ("failed", "Cancelled")
    assert {run.status for run in others} == {None}


STOPPED = """
import time
from stepweave import dag, task

def unset(result: str) -> None:
    pass

@task(compensate=unset)
def change() -> str:
    return "changed"

@task
def wait(changed: str) -> None:
    time.sleep(30)

@dag(timeout="1s")
def stopped():
    wait(change())
"""


def test_what_cleans_up_after_a_run_that_broke_off_is_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "stopped_run.py"
    file.write_text(STOPPED)
    result, step_functions = ran(str(file), tmp_path, monkeypatch)
    cleanup = step_functions.engine.executions["r1-cleanup"]
    statuses = statuses_of(result, step_functions)
    statuses.look()
    own = frozenset({machine_of(cleanup.arn)})
    statuses.clean_up(Histories(Clients({"stepfunctions": step_functions}), cleanup.arn, own, ALL_ITEMS))
    statuses.look()
    statuses.end()
    assert statuses.tasks()["change"].undone == "success"
    assert statuses.tasks()["wait"].status == "failed"
    assert told(statuses) == expected(result)


MANY = """
from stepweave import dag, task
from stepweave.errors import DataError

@task(tolerated_failures=3)
def double(x: int) -> int:
    if x in (3, 50):
        raise DataError("no")
    return 2 * x

@dag
def many():
    double.expand(x=list(range(60)))
"""


@pytest.mark.parametrize("items", [ALL_ITEMS, 1])
def test_a_map_whose_executions_are_not_looked_at_still_counts_its_items(
    items: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine says how many items ended how, so a map of ten thousand needs no ten thousand calls."""
    file = tmp_path / f"many_items_{items}.py"
    file.write_text(MANY)
    result, step_functions = ran(str(file), tmp_path, monkeypatch)
    statuses = statuses_of(result, step_functions, items=items)
    statuses.look()
    statuses.end()
    run = statuses.tasks()["double"]
    assert run.items == result.tasks["double"].items == Items(total=60, success=58, failed=2)
    assert step_functions.calls.count("get_execution_history") == 1 + min(items, 60)
    assert run.status == "success"
    if items == ALL_ITEMS:
        assert told(statuses) == expected(result)


def test_a_resumed_run_tells_what_was_reused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, step_functions = ran("e01_chain.py", tmp_path, monkeypatch)
    statuses = statuses_of(result, step_functions)
    statuses.look()
    statuses.end(resumed_at=step_functions.root.started_at + 1_000)
    assert all(run.reused for run in statuses.tasks().values())
    again = statuses_of(result, step_functions)
    again.look()
    again.end(resumed_at=step_functions.root.started_at - 1_000)
    assert not any(run.reused for run in again.tasks().values())


@pytest.mark.parametrize("name", [*EXAMPLES, "e18_retries.py", "e26_limits_of_failure.py:persistent"])
def test_transitions_are_states_entered_and_further_attempts(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, step_functions = ran(name, tmp_path, monkeypatch)
    statuses = statuses_of(result, step_functions)
    statuses.look()
    kinds = Counter(
        event["type"]
        for execution in step_functions.engine.executions.values()
        for event in execution.history.events()
    )
    entered = sum(count for kind, count in kinds.items() if kind.endswith("StateEntered"))
    assert statuses.transitions == entered + kinds["TaskScheduled"] - kinds["TaskStateEntered"]


class OneItem:
    """Step Functions with an execution whose map ran one item."""

    HISTORIES: ClassVar = {
        "root": [
            event(1, 0, "MapStateEntered"),
            event(2, 1, "MapRunStarted", mapRunArn="map"),
            event(3, 2, "ExecutionSucceeded"),
        ],
        "item": [
            event(1, 0, "TaskStateEntered"),
            event(2, 1, "TaskScheduled"),
            event(3, 2, "TaskFailed"),
            event(4, 3, "TaskScheduled"),
            event(5, 4, "ExecutionSucceeded"),
        ],
    }

    def get_execution_history(self, executionArn: str, **asked: Any) -> dict[str, Any]:  # noqa: N803
        return {"events": self.HISTORIES[executionArn]}

    def list_executions(self, **asked: Any) -> dict[str, Any]:
        return {"executions": [{"executionArn": "item"}]}


@pytest.mark.parametrize("items, transitions", [(2, 3), (1, None)])
def test_transitions_of_items_that_may_not_have_been_read_are_not_guessed(
    items: int, transitions: int | None
) -> None:
    histories = Histories(Clients({"stepfunctions": OneItem()}), "root", frozenset(), items)
    assert len(list(histories.read())) == 8
    assert histories.transitions == transitions


def ran(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[RunResult, EngineAsStepFunctions]:
    """An ended run of an example, and the Step Functions where it ran."""
    monkeypatch.chdir(tmp_path)
    dag = load(name if name.startswith("/") else f"{FOLDER}/{name}")
    with engines_kept(monkeypatch) as engines:
        result = run_dag(
            RunRequest(dag=dag, run_id="r1", inline="replicas" not in name and "stopped" not in name)
        )
    return result, EngineAsStepFunctions(engines[0])


def statuses_of(
    result: RunResult, step_functions: EngineAsStepFunctions, *observers: Any, items: int = ALL_ITEMS
) -> RunStatuses:
    dag = result.dag_id
    names = {machine_of(execution.arn) for execution in step_functions.engine.executions.values()}
    own = frozenset(name for name in names if name == dag or name.startswith(f"{dag}."))
    histories = Histories(Clients({"stepfunctions": step_functions}), step_functions.root.arn, own, items)
    return RunStatuses(
        result.graph, "r1", histories, env="dev", store=open_store(result.store), observers=observers
    )


def told(statuses: RunStatuses) -> dict[str, Any]:
    maps = {task: [shown(run) for run in runs] for task, runs in statuses.maps().items()}
    return {"tasks": {task: shown(run) for task, run in statuses.tasks().items()}, "maps": maps}


def expected(result: RunResult) -> dict[str, Any]:
    maps = {task: [shown(run) for run in runs] for task, runs in result.maps.items()}
    return {"tasks": {task: shown(run) for task, run in result.tasks.items()}, "maps": maps}


def shown(run: TaskRun) -> TaskRun:
    """What has to be the same: all but times, of which AWS has its own, and where the value lies."""
    times = {"ready": None, "scheduled": None, "first_started": None, "started": None, "ended": None}
    return replace(run, **times, waited_seconds=0.0, value=None, ref=None)


def retry_in(events: Any) -> int:
    """Id of the first failed attempt after which the same state is tried again."""
    known = list(events)
    failed = {event["id"] for event in known if event["type"] == "TaskFailed"}
    after = [event["previousEventId"] for event in known if event["type"] == "TaskScheduled"]
    return min(failed.intersection(after))
