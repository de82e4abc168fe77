import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stepweave.errors import DataError, PermanentError
from stepweave.runtime.batch import run
from stepweave.runtime.failure_mark import read_failure
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import sample_tasks
from tests.runtime.events import event

PREFIX = "runs/sales/r1/a"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path):
    sample_tasks.calls.clear()
    return open_store(tmp_path / "store")


def job(store, asked, attempt=1):
    """Environment of the job that `prepare` has written the input of."""
    uri = invoke({**asked, "prepare": True}, store)["uri"]
    return {"STEPWEAVE_STORE": store.url, "STEPWEAVE_INPUT": uri, "AWS_BATCH_JOB_ATTEMPT": str(attempt)}


def test_a_job_commits_the_result_of_its_task(store):
    asked = event("a", "one")
    assert run(job(store, asked)) == 0
    assert invoke({**asked, "collect": True}, store)["value"] == "1"
    envelope = json.loads(store.get("runs/sales/r1/a/result.json"))
    assert (envelope["compute"], envelope["attempt"]) == ("batch", 0)


@pytest.mark.parametrize(
    "kind, status", [("value", 75), ("later", 75), ("data", 65), ("fail", 70), ("exit", 70), ("skip", 77)]
)
def test_the_exit_status_tells_the_class_of_the_failure(store, kind, status):
    asked = event("a", "raising", {"kind": {"v": kind}})
    assert run(job(store, asked)) == status
    assert json.loads(str(read_failure(store, PREFIX)))["message"]


def test_after_a_final_failure_a_further_attempt_ends_at_once(store, capfd):
    asked = event("a", "raising", {"kind": {"v": "data"}})
    environment = job(store, asked)
    assert run(environment) == 65
    repaired = json.loads(store.get(environment["STEPWEAVE_INPUT"]))
    store.put(
        environment["STEPWEAVE_INPUT"],
        json.dumps({**repaired, "call": f"{sample_tasks.__name__}:one"}).encode(),
    )
    assert run({**environment, "AWS_BATCH_JOB_ATTEMPT": "2"}) == 65
    assert sample_tasks.calls == []
    assert "an earlier attempt ended the job" in capfd.readouterr().err


def test_after_a_transient_failure_a_further_attempt_runs(store):
    asked = event("a", "raising", {"kind": {"v": "value"}})
    environment = job(store, asked)
    assert run(environment) == 75
    event_now = {
        **json.loads(store.get(environment["STEPWEAVE_INPUT"])),
        "call": f"{sample_tasks.__name__}:one",
        "args": "{}",
    }
    store.put(environment["STEPWEAVE_INPUT"], json.dumps(event_now).encode())
    assert run({**environment, "AWS_BATCH_JOB_ATTEMPT": "3"}) == 0
    assert json.loads(store.get("runs/sales/r1/a/result.json"))["attempt"] == 2


def test_jobs_of_one_state_and_attempts_inside_a_job_are_counted_through(store):
    environment = job(store, event("a", "one"), attempt=2)
    assert run({**environment, "STEPWEAVE_RETRY": "3"}) == 0
    assert json.loads(store.get("runs/sales/r1/a/result.json"))["attempt"] == 4


def test_a_new_job_forgets_how_the_last_one_failed(store):
    asked = event("a", "raising", {"kind": {"v": "data"}})
    run(job(store, asked))
    assert type(read_failure(store, PREFIX)) is DataError
    job(store, asked)
    assert read_failure(store, PREFIX) is None


def test_collect_raises_what_the_job_failed_with(store):
    asked = event("a", "raising", {"kind": {"v": "data"}})
    run(job(store, asked))
    with pytest.raises(DataError) as raised:
        invoke({**asked, "collect": True}, store)
    assert json.loads(str(raised.value))["message"] == "bad rows"
    with pytest.raises(PermanentError, match="ended without a result"):
        invoke({**asked, "task": "b", "collect": True}, store)


@pytest.mark.parametrize("missing", ["STEPWEAVE_STORE", "STEPWEAVE_INPUT"])
def test_a_job_without_its_environment_says_what_is_missing(store, capfd, missing):
    environment = {**job(store, event("a", "one")), missing: ""}
    assert run(environment) == 64
    assert f"the environment variable {missing} is not set" in capfd.readouterr().err


def test_an_input_that_is_not_there_is_named(store, capfd):
    assert run({"STEPWEAVE_STORE": store.url, "STEPWEAVE_INPUT": "runs/x/input.json"}) == 64
    assert "no object 'runs/x/input.json'" in capfd.readouterr().err


def test_the_command_of_the_container_runs_the_task(store):
    environment = {**os.environ, **job(store, event("a", "talk")), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "stepweave.runtime.batch"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, "to stderr")
    assert done.stdout.splitlines()[0] == "printed"
