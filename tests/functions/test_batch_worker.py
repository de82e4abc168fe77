import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from functions.batch_worker.ending import Ending
from functions.batch_worker.spot import watch
from stepweave.runtime import stopping
from stepweave.runtime.batch import Job
from stepweave.runtime.context import Context
from stepweave.runtime.failure_mark import read_failure
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime.events import event

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "functions.batch_worker.worker"]
TASKS = "tests.functions.deployed_tasks"


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path))


@pytest.fixture(autouse=True)
def not_stopping():
    stopping.forget_stop()
    yield
    stopping.forget_stop()


def task(name, function, **arguments):
    args = {key: {"v": value} for key, value in arguments.items()}
    module = "tests.runtime.sample_tasks" if function in ("give", "sleep", "raising") else TASKS
    return event(name, function, args, call=f"{module}:{function}")


def job(store, asked, attempt=1, **more):
    """The environment of the job that runs what is asked."""
    uri = invoke({**asked, "prepare": True}, store)["uri"]
    return {
        **os.environ,
        "STEPWEAVE_STORE": store.url,
        "STEPWEAVE_INPUT": uri,
        "STEPWEAVE_ENV": "dev",
        "AWS_BATCH_JOB_ATTEMPT": str(attempt),
        "PYTHONPATH": str(ROOT),
        **more,
    }


def finished(environment):
    return subprocess.run(COMMAND, env=environment, capture_output=True, text=True, timeout=60, check=False)


def lines_of(output):
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_a_job_runs_what_the_task_runner_prepared_and_says_how_it_went(store):
    asked = task("a", "give", value="x" * 20_000)
    done = finished(job(store, asked))
    assert done.returncode == 0, done.stderr
    assert invoke({**asked, "collect": True}, store) == {
        "status": "success",
        "ref": "runs/sales/r1/a/output.json",
    }
    (line,) = lines_of(done.stdout)
    assert (line["message"], line["env"], line["dag"], line["task"], line["TaskSucceeded"]) == (
        "task ended",
        "dev",
        "sales",
        "a",
        1,
    )


def test_what_a_task_logs_in_a_job_is_json_with_the_keys_of_its_attempt(store):
    done = finished(job(store, task("a", "logging_task"), attempt=3))
    line = next(line for line in lines_of(done.stdout) if line["message"] == "at work")
    assert {name: line[name] for name in ("level", "run", "task", "attempt", "rows", "logger")} == {
        "level": "INFO",
        "run": "r1",
        "task": "a",
        "attempt": 2,
        "rows": 3,
        "logger": "mine",
    }


def test_a_job_logs_from_the_level_on_that_the_settings_say(store):
    done = finished(job(store, task("a", "logging_task"), POWERTOOLS_LOG_LEVEL="WARNING"))
    assert [line["message"] for line in lines_of(done.stdout)] == ["task ended"]


@pytest.mark.parametrize("kind, status", [("data", 65), ("fail", 70), ("value", 75), ("skip", 77)])
def test_the_exit_status_tells_what_became_of_the_attempt(store, kind, status):
    done = finished(job(store, task("a", "raising", kind=kind)))
    assert done.returncode == status
    assert lines_of(done.stdout)[-1]["status"] == ("skipped" if kind == "skip" else "failed")


def test_metrics_of_a_job_are_embedded_where_asked_for(store):
    done = finished(job(store, task("a", "give", value=1), STEPWEAVE_TASK_METRICS="1"))
    described = lines_of(done.stdout)[-1]["_aws"]["CloudWatchMetrics"]
    assert [one["Dimensions"] for one in described] == [[["env", "dag"]], [["env", "dag", "task"]]]


def terminated(environment, word):
    """Output of a job that is terminated once it has written ``word``."""
    with subprocess.Popen(
        COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            if line.startswith(word):
                break
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=50)
    return process.returncode, output, errors


def test_a_job_that_is_terminated_asks_for_another_attempt_at_once(store):
    status, _, errors = terminated(job(store, task("a", "sleep", seconds=60)), "asleep")
    assert status == 75
    assert "terminated" in errors
    assert "before the task had ended" in str(read_failure(store, "runs/sales/r1/a"))


def test_a_task_that_looks_saves_what_it_has_and_goes_on_from_there(store):
    asked = task("a", "patient_trainer", epochs=2_000)
    status, output, _ = terminated(job(store, asked), "training")
    assert (status, lines_of(output)[-1]["error"]) == (75, "TransientError")
    done = finished(job(store, asked, attempt=2))
    assert done.returncode == 0, done.stderr
    assert json.loads(invoke({**asked, "collect": True}, store)["value"]) > 0


def test_files_in_the_folder_of_the_checkpoint_are_saved_before_the_end(store):
    asked = task("a", "file_trainer", seconds=60)
    assert terminated(job(store, asked), "training")[0] == 75
    assert finished(job(store, asked, attempt=2)).returncode == 0
    assert invoke({**asked, "collect": True}, store)["value"] == '["w1"]'


def test_an_attempt_goes_on_from_the_checkpoint_of_one_that_died(store):
    failing = task("a", "counting", to=5, stop_at=3)
    assert finished(job(store, failing)).returncode == 75
    done = finished(job(store, failing, attempt=2))
    assert "from 3" in done.stdout
    assert done.returncode == 75


class Notices(BaseHTTPRequestHandler):
    """Metadata of an instance that is reclaimed on the second look."""

    looks = 0

    def do_PUT(self):
        self.answer(200, "token" if "X-aws-ec2-metadata-token-ttl-seconds" in self.headers else "")

    def do_GET(self):
        Notices.looks += 1
        known = self.headers["X-aws-ec2-metadata-token"] == "token"
        told = '{"action": "terminate", "time": "2026-11-21T06:00:00Z"}'
        self.answer(401 if not known else 200 if Notices.looks > 1 else 404, told)

    def answer(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments):
        """Nothing."""


@pytest.fixture
def metadata():
    Notices.looks = 0
    server = HTTPServer(("127.0.0.1", 0), Notices)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "AWS_BATCH_JOB_ID": "j1",
    }
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_notice_of_a_spot_instance_is_told(metadata):
    told, heard = [], threading.Event()

    def tell(action):
        told.append(action)
        heard.set()

    watch(metadata, tell, every_seconds=0.01)
    assert heard.wait(30)
    assert (told, Notices.looks) == (["terminate"], 2)


@pytest.mark.parametrize("missing", ["AWS_BATCH_JOB_ID", "enabled"])
def test_nothing_is_watched_outside_of_instances(metadata, missing):
    environment = {name: value for name, value in metadata.items() if name != missing}
    if missing == "enabled":
        environment["AWS_EC2_METADATA_DISABLED"] = "true"
    assert watch(environment, lambda action: None) is None


def test_a_task_sees_that_its_instance_is_reclaimed():
    context = Context(dag_id="d", run_id="r", task_id="t")
    assert not context.stopping
    Ending().reclaimed("terminate")
    assert context.stopping


def test_a_job_whose_task_has_just_ended_keeps_its_result(store):
    asked = task("a", "give", value=1)
    left = []
    ending = Ending(grace_seconds=0, leave=left.append)
    with ending.watching(Job(asked, store)):
        invoke(asked, store)
    ending.terminate(15, None)
    for thread in threading.enumerate():
        if thread.name == "stepweave-ending":
            thread.join()
    assert left == []
    assert read_failure(store, "runs/sales/r1/a") is None
