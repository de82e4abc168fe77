import importlib
import io
import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stepweave.errors import DataError, PermanentError, Skip, TransientError, UsageError
from stepweave.stores.objects import open_store
from tests.functions.environment_fakes import LambdaContext
from tests.runtime.events import event
from tests.stores.aws_on_loopback import BUCKET, aws_on_loopback, point_to

ROOT = Path(__file__).parents[2]
TASKS = "tests.functions.deployed_tasks"


@pytest.fixture(scope="module")
def server():
    with aws_on_loopback() as url:
        yield url


@pytest.fixture
def task_runner(server, monkeypatch, tmp_path):
    point_to(server, monkeypatch)
    monkeypatch.setenv("STEPWEAVE_STORE", f"s3://{BUCKET}/{tmp_path.name}")
    monkeypatch.setenv("STEPWEAVE_ENV", "dev")
    module = importlib.import_module("functions.task_runner.handler")
    module._store.cache_clear()
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [logging.StreamHandler(io.StringIO())])
    monkeypatch.setattr(root, "level", logging.WARNING)
    return module


@pytest.fixture
def store(task_runner):
    return open_store(os.environ["STEPWEAVE_STORE"])


@pytest.fixture
def logged(task_runner, monkeypatch):
    """Lines of the logger of the function, and of all others."""
    written = io.StringIO()
    for handler in (*task_runner.logger.handlers, *logging.getLogger().handlers):
        monkeypatch.setattr(handler, "stream", written)

    def lines():
        return [json.loads(line) for line in written.getvalue().splitlines()]

    return lines


def numbers(capsys):
    """The line that tells how the attempt ended."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    (found,) = [line for line in lines if line.get("message") == "task ended"]
    return found


def test_the_task_runner_commits_to_s3_and_answers_with_the_record(task_runner, store):
    assert task_runner.handler(event("a", "one"), LambdaContext()) == {"status": "success", "value": "1"}
    envelope = json.loads(store.get("runs/sales/r1/a/result.json"))
    assert (envelope["compute"], envelope["value"]) == ("lambda", "1")


def test_values_travel_between_light_tasks_through_s3(task_runner):
    task_runner.handler(event("a", "give", {"value": {"v": "x" * 20_000}}), LambdaContext())
    record = task_runner.handler(event("b", "give", {"value": {"t": "a"}}), LambdaContext())
    assert record == {"status": "success", "ref": "runs/sales/r1/b/output.json"}


def test_a_task_with_many_upstream_values_reads_them_from_s3(task_runner):
    names = [f"t{number}" for number in range(9)]
    for number, name in enumerate(names):
        task_runner.handler(event(name, "give", {"value": {"v": number}}), LambdaContext())
    args = {"value": {"l": [{"t": name} for name in names]}}
    assert task_runner.handler(event("join", "give", args), LambdaContext())["value"] == "[0,1,2,3,4,5,6,7,8]"
    with pytest.raises(DataError, match="the value of task 'gone' is not in the store"):
        task_runner.handler(
            event("j2", "give", {"value": {"l": [*args["value"]["l"], {"t": "gone"}]}}), LambdaContext()
        )


def test_an_error_reaches_the_state_machine_by_its_class_and_is_counted(task_runner, capsys, logged):
    with pytest.raises(DataError, match="bad rows"):
        task_runner.handler(event("a", "raising", {"kind": {"v": "data"}}), LambdaContext())
    line = numbers(capsys)
    assert (line["TaskFailed"], line["status"], line["error"]) == (1, "failed", "DataError")
    assert any(told.get("error_class") == "DataError" and told["run"] == "r1" for told in logged())


def test_an_attempt_leaves_its_numbers_in_the_log_and_no_metric_unless_asked(
    task_runner, capsys, monkeypatch
):
    task_runner.handler(event("a", "one", attempt=2), LambdaContext())
    line = numbers(capsys)
    assert {name: line[name] for name in ("env", "dag", "run", "task", "attempt", "status")} == {
        "env": "dev",
        "dag": "sales",
        "run": "r1",
        "task": "a",
        "attempt": 2,
        "status": "success",
    }
    assert (line["TaskSucceeded"], line["TaskRetried"]) == (1, 1)
    assert line["PeakMemoryMiB"] > 10
    assert "_aws" not in line
    monkeypatch.setenv("STEPWEAVE_TASK_METRICS", "1")
    task_runner.handler(event("b", "one"), LambdaContext())
    described = numbers(capsys)["_aws"]["CloudWatchMetrics"]
    assert [metrics["Dimensions"] for metrics in described] == [[["env", "dag"]], [["env", "dag", "task"]]]
    assert described[0]["Metrics"] == [
        {"Name": "TaskSeconds", "Unit": "Seconds"},
        {"Name": "PeakMemoryMiB", "Unit": "Megabytes"},
        {"Name": "TaskSucceeded", "Unit": "Count"},
    ]


@pytest.mark.parametrize(
    "kind, error, status, counted",
    [
        ("skip", Skip, "skipped", "TaskSkipped"),
        ("fail", PermanentError, "failed", "TaskFailed"),
        ("value", TransientError, "failed", "TaskFailed"),
    ],
)
def test_each_end_of_an_attempt_is_counted_as_what_it_is(task_runner, capsys, kind, error, status, counted):
    with pytest.raises(error):
        task_runner.handler(event("a", "raising", {"kind": {"v": kind}}), LambdaContext())
    line = numbers(capsys)
    assert (line["status"], line[counted]) == (status, 1)


def test_calls_that_run_no_task_are_not_counted(task_runner, capsys):
    task_runner.handler(event("a", "one", prepare=True), LambdaContext())
    assert "task ended" not in capsys.readouterr().out


def test_what_a_task_logs_has_the_keys_of_its_attempt_and_of_no_other(task_runner, logged):
    task_runner.handler(
        event("a", "logging_task", run={"index": "3"}, call=f"{TASKS}:logging_task"), LambdaContext()
    )
    task_runner.handler(event("b", "logging_task", call=f"{TASKS}:logging_task"), LambdaContext())
    lines = [line for line in logged() if line["location"].startswith("logging_task")]
    assert [(line["task"], line["index"], line["run"], line["correlation_id"]) for line in lines] == [
        ("a", "3", "r1", "r1"),
        ("b", "", "r1", "r1"),
    ]


def test_a_task_that_takes_too_long_fails_before_lambda_kills_it(task_runner):
    began = time.monotonic()
    with pytest.raises(TransientError, match=r"OutOfTime.*did not end within the"):
        task_runner.handler(event("a", "sleep", {"seconds": {"v": 60}}), LambdaContext(milliseconds=300))
    assert time.monotonic() - began < 30
    assert task_runner.handler(event("a", "one", attempt=1), LambdaContext())["value"] == "1"


def test_a_function_that_is_called_twice_commits_once_and_answers_the_same(task_runner, store):
    asked = event("a", "give", {"value": {"v": 5}})
    answers = [task_runner.handler(asked, LambdaContext()) for _ in range(2)]
    assert answers[0] == answers[1]
    first = store.get("runs/sales/r1/a/result.json")
    task_runner.handler({**asked, "attempt": 1}, LambdaContext())
    assert store.get("runs/sales/r1/a/result.json") == first


def test_an_attempt_whose_answer_was_lost_is_not_run_again(task_runner, store):
    control_tasks = importlib.import_module("tests.runtime.sample_tasks")
    control_tasks.calls.clear()
    task_runner.handler(event("a", "one"), LambdaContext())
    assert task_runner.handler(event("a", "one", attempt=1), LambdaContext())["value"] == "1"
    assert control_tasks.calls == [("one", {})]


def test_the_task_runner_prepares_batch_jobs(task_runner, store):
    answer = task_runner.handler(event("a", "one", prepare=True), LambdaContext())
    assert json.loads(store.get(answer["uri"]))["task"] == "a"


def test_the_task_runner_says_what_is_not_set(task_runner, monkeypatch):
    monkeypatch.delenv("STEPWEAVE_STORE")
    with pytest.raises(UsageError, match="STEPWEAVE_STORE is not set"):
        task_runner.handler(event("a", "one"), LambdaContext())


def test_the_task_runner_starts_without_what_only_some_tasks_need():
    code = (
        "import sys, functions.task_runner.handler\n"
        "names = 'boto3', 'botocore.session', 'aws_xray_sdk', 'numpy', 'pandas', 'sqlite3', 'pydantic'\n"
        "sys.exit(' '.join(name for name in names if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_an_attempt_is_a_part_of_the_trace_where_tracing_is_on(task_runner, monkeypatch):
    tracing = importlib.import_module("functions.task_runner.tracing")
    seen = []

    class Tracer:
        def __init__(self, service):
            self.provider = self

        def in_subsegment(self, name):
            seen.append(name)
            return importlib.import_module("contextlib").nullcontext()

        def put_annotation(self, key, value):
            seen.append((key, value))

    monkeypatch.setattr(tracing, "_tracer", lambda: Tracer("task_runner"))
    task_runner.handler(event("a", "one"), LambdaContext())
    assert seen == []
    monkeypatch.setenv("POWERTOOLS_TRACE_ENABLED", "true")
    task_runner.handler(event("b", "one"), LambdaContext())
    assert seen[0] == "## b"
    assert ("run", "r1") in seen
