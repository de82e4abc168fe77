import json

import pytest

from stepweave.errors import (
    DataError,
    PermanentError,
    ResourceError,
    RetryAfter,
    TaskError,
    TransientError,
)
from stepweave.runtime.batch import run
from stepweave.runtime.failed_tasks import RunStopped
from stepweave.runtime.failure_mark import read_failure
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event

MODULE = control_tasks.__name__


@pytest.fixture
def store(tmp_path):
    control_tasks.calls.clear()
    return open_store(tmp_path / "store")


def fails(store, kind, task="a", **parts):
    with pytest.raises(Exception, match="message") as raised:
        invoke(event(task, args={"kind": {"v": kind}}, call=f"{MODULE}:raises", **parts), store)
    return raised.value


@pytest.mark.parametrize(
    "kind, errors, expected",
    [
        ("slow", ["SlowDown", "Throttled"], "SlowDown"),
        ("slow", ["Throttled"], "Throttled"),
        ("slow", [f"{MODULE}.Throttled"], f"{MODULE}.Throttled"),
        ("slow", ["Other"], "TransientError"),
        ("row", ["BadRow"], "BadRow"),
        ("row", [], "DataError"),
        ("value", ["ValueError"], "ValueError"),
    ],
)
def test_a_class_that_a_policy_names_is_reported_by_its_name_subclasses_too(store, kind, errors, expected):
    error = fails(store, kind, errors=errors)
    assert type(error).__name__ == expected
    assert json.loads(str(error))["type"] in ("SlowDown", "BadRow", "ValueError")


def test_a_named_class_is_still_one_of_the_four(store):
    assert isinstance(fails(store, "row", errors=["BadRow"]), DataError)
    assert isinstance(fails(store, "slow", errors=["Throttled"]), TransientError)


def test_retry_after_puts_the_task_off_as_often_as_it_may(store):
    error = fails(store, "later", later=1, later_most=2)
    assert type(error) is RetryAfter
    assert str(error).startswith('{"seconds": 30, ')
    assert json.loads(str(error))["message"] == "quota"
    assert type(fails(store, "later", later=2, later_most=2)) is TransientError
    assert type(fails(store, "later")) is TransientError


@pytest.mark.parametrize(
    "tries, attempt, noted",
    [
        ({"TransientError": 2}, 0, 0),
        ({"TransientError": 2}, 2, 1),
        ({"DataError": 2}, 0, 1),
        (None, 9, 0),
    ],
)
def test_the_last_failure_of_a_task_is_noted(store, tries, attempt, noted):
    parts = {} if tries is None else {"tries": tries}
    fails(store, "value", attempt=attempt, run={"execution": "e1", "index": "4"}, max_failed=9, **parts)
    marks = [key for key, _ in store.list("runs/sales/r1/_failed")]
    assert marks == ["runs/sales/r1/_failed/e1/a/4/failed.json"] * noted


def test_what_put_a_task_off_does_not_count_as_a_retry(store):
    facts = {"run": {"execution": "e1", "index": "4"}, "max_failed": 9, "tries": {"TransientError": 2}}
    fails(store, "value", attempt=3, later=2, later_most=2, **facts)
    assert list(store.list("runs/sales/r1/_failed")) == []
    fails(store, "value", attempt=4, later=2, later_most=2, **facts)
    assert len(list(store.list("runs/sales/r1/_failed"))) == 1


@pytest.mark.parametrize("kind", ["skip", "later"])
def test_what_is_no_failure_is_not_noted(store, kind):
    fails(store, kind, tries={}, later=0, later_most=1)
    assert list(store.list("runs/sales/r1/_failed")) == []


def test_with_too_many_failures_no_attempt_begins(store):
    run_info = {"execution": "e1/3"}
    for task in ("f1", "f2"):
        fails(store, "value", task, tries={}, run=run_info)
    asked = event("a", args={}, max_failed=1, run={"execution": "e1"}, call=f"{MODULE}:note")
    with pytest.raises(RunStopped) as raised:
        invoke(asked, store)
    assert json.loads(str(raised.value))["message"] == "2 tasks have failed; the DAG allows 1"
    assert invoke({**asked, "max_failed": 2}, store)["status"] == "success"
    # What is committed stays; what failed in an execution before does not count.
    assert invoke({**asked, "attempt": 1}, store)["status"] == "success"
    again = event("b", args={}, max_failed=1, run={"execution": "e2"}, call=f"{MODULE}:note")
    assert invoke(again, store)["status"] == "success"


def test_a_task_that_succeeds_after_it_was_put_off_has_not_failed(store):
    fails(store, "value", tries={"TransientError": 1}, attempt=2, later=1, later_most=2)
    assert len(list(store.list("runs/sales/r1/_failed"))) == 1
    tried = {"tries": {"TransientError": 1}, "attempt": 3, "later": 2, "later_most": 2}
    invoke(event("a", args={}, call=f"{MODULE}:note", **tried), store)
    assert list(store.list("runs/sales/r1/_failed")) == []


def test_a_stopped_run_prepares_no_batch_job(store):
    fails(store, "value", tries={}, run={"execution": "e1"})
    asked = event("b", args={}, max_failed=0, prepare=True, run={"execution": "e1"}, call=f"{MODULE}:note")
    with pytest.raises(RunStopped):
        invoke(asked, store)
    assert store.get_or_none("runs/sales/r1/b/input.json") is None


@pytest.mark.parametrize(
    "kind, parts, status, name",
    [
        ("row", {"errors": ["BadRow"]}, 65, "BadRow"),
        ("slow", {"errors": ["Throttled"]}, 75, "Throttled"),
        ("later", {"later": 0, "later_most": 1}, 75, "RetryAfter"),
    ],
)
def test_a_batch_job_tells_who_collects_by_which_name_it_failed(store, kind, parts, status, name):
    asked = event("a", args={"kind": {"v": kind}}, call=f"{MODULE}:raises", **parts)
    uri = invoke({**asked, "prepare": True}, store)["uri"]
    environment = {"STEPWEAVE_STORE": store.url, "STEPWEAVE_INPUT": uri}
    assert run(environment) == status
    error = read_failure(store, "runs/sales/r1/a")
    assert (type(error).__name__, isinstance(error, TaskError)) == (name, True)
    with pytest.raises(TaskError) as raised:
        invoke({**asked, "collect": True}, store)
    assert (type(raised.value).__name__, str(raised.value)) == (name, str(error))


def test_a_job_that_put_itself_off_does_not_run_again_by_itself(store, capfd):
    asked = event("a", args={"kind": {"v": "later"}}, call=f"{MODULE}:raises", later=0, later_most=1)
    uri = invoke({**asked, "prepare": True}, store)["uri"]
    environment = {"STEPWEAVE_STORE": store.url, "STEPWEAVE_INPUT": uri}
    run(environment)
    capfd.readouterr()
    assert run({**environment, "AWS_BATCH_JOB_ATTEMPT": "2"}) == 75
    assert "an earlier attempt ended the job" in capfd.readouterr().err


def test_a_container_killed_for_its_memory_ran_out_of_a_resource(store):
    asked = event("a", args={}, collect=True, call=f"{MODULE}:note")
    cause = json.dumps({"Container": {"Reason": "OutOfMemoryError: Container killed due to memory usage"}})
    with pytest.raises(ResourceError) as raised:
        invoke({**asked, "cause": cause}, store)
    assert json.loads(str(raised.value))["type"] == "OutOfMemory"
    with pytest.raises(PermanentError):
        invoke(asked, store)


PULL = 'CannotPullContainerError: pull image manifest: 403 "Forbidden"'
WHOLE = json.dumps(
    {
        "Status": "FAILED",
        "Attempts": [{"Container": {"Reason": PULL}, "StatusReason": "Task failed to start"}],
        "StatusReason": "Task failed to start",
    }
)


@pytest.mark.parametrize(
    "cause, why",
    [
        (WHOLE, f"{PULL}; Task failed to start"),
        (WHOLE[:-4], f"{PULL}; Task failed to start"),
        ("User: arn:aws:sts::1:x is not authorized to perform: batch:SubmitJob", "User: arn:aws:sts::1:x"),
    ],
    ids=["its description", "cut off", "not taken"],
)
def test_a_job_that_never_began_fails_with_what_batch_says(store, cause, why):
    asked = event("a", args={}, collect=True, call=f"{MODULE}:note", cause=cause)
    with pytest.raises(PermanentError) as raised:
        invoke(asked, store)
    assert f"under 'runs/sales/r1/a': {why}" in json.loads(str(raised.value))["message"]


def test_the_rung_of_a_ladder_is_in_the_record_and_stays_with_the_result(store):
    asked = event("a", args={}, rung={"level": 2, "label": "60 GiB"}, call=f"{MODULE}:note")
    assert invoke(asked, store)["level"] == 2
    envelope = json.loads(store.get("runs/sales/r1/a/result.json"))
    assert envelope["metadata"] == {"level": 2, "level_label": "60 GiB"}
    resumed = event("a", args={}, run={"resume": True}, call=f"{MODULE}:note")
    assert invoke(resumed, store)["level"] == 2
    assert len(control_tasks.calls) == 1


@pytest.mark.parametrize("seconds", ["soon", -5, float("nan"), 10**9])
def test_a_wait_that_no_execution_lives_through_is_refused(seconds):
    with pytest.raises(ValueError, match="seconds from 0 to 31,536,000"):
        RetryAfter(seconds)
