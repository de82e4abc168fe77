import importlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from stepweave.errors import DataError, UsageError
from stepweave.stores.objects import open_store
from tests.runtime.events import event
from tests.stores.aws_on_loopback import BUCKET, aws_on_loopback, point_to

ROOT = Path(__file__).parents[2]
TABLE = "stepweave-gates"


@dataclass
class LambdaContext:
    """What Lambda hands to a handler besides the event."""

    function_name: str = "task_runner"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:task_runner"
    aws_request_id: str = "request-1"


@pytest.fixture(scope="module")
def server():
    with aws_on_loopback() as url:
        yield url


@pytest.fixture
def loopback(server, monkeypatch):
    point_to(server, monkeypatch)


@pytest.fixture
def task_runner(loopback, monkeypatch, tmp_path):
    monkeypatch.setenv("STEPWEAVE_STORE", f"s3://{BUCKET}/{tmp_path.name}")
    module = importlib.import_module("functions.task_runner.handler")
    module._store.cache_clear()
    return module


@pytest.fixture
def store(task_runner):
    return open_store(os.environ["STEPWEAVE_STORE"])


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


def test_an_error_reaches_the_state_machine_by_its_class_and_is_counted(task_runner, capsys, monkeypatch):
    written = io.StringIO()
    for handler in task_runner.logger.handlers:
        monkeypatch.setattr(handler, "stream", written)
    with pytest.raises(DataError, match="bad rows"):
        task_runner.handler(event("a", "raising", {"kind": {"v": "data"}}), LambdaContext())
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert metrics["DataError"] == [1.0]
    assert metrics["dag"] == "sales"
    assert any(line.get("error_class") == "DataError" and line["run"] == "r1" for line in lines)


def test_the_task_runner_prepares_batch_jobs(task_runner, store):
    answer = task_runner.handler(event("a", "one", prepare=True), LambdaContext())
    assert json.loads(store.get(answer["uri"]))["task"] == "a"


def test_the_task_runner_says_what_is_not_set(task_runner, monkeypatch):
    monkeypatch.delenv("STEPWEAVE_STORE")
    with pytest.raises(UsageError, match="STEPWEAVE_STORE is not set"):
        task_runner.handler(event("a", "one"), LambdaContext())


def test_the_batch_worker_runs_what_the_task_runner_prepared(task_runner, store):
    answer = task_runner.handler(
        event("a", "give", {"value": {"v": "x" * 20_000}}, prepare=True), LambdaContext()
    )
    environment = {**os.environ, "STEPWEAVE_INPUT": answer["uri"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "functions.batch_worker.worker"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    collected = task_runner.handler(event("a", "give", collect=True), LambdaContext())
    assert collected == {"status": "success", "ref": "runs/sales/r1/a/output.json"}


def test_a_batch_worker_that_is_terminated_asks_for_another_attempt(task_runner):
    asked = event("a", "sleep", {"seconds": {"v": 60}}, prepare=True)
    answer = task_runner.handler(asked, LambdaContext())
    environment = {**os.environ, "STEPWEAVE_INPUT": answer["uri"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "functions.batch_worker.worker"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"asleep\n"
        process.terminate()
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 75
    assert b"terminated" in errors


class StepFunctions:
    """A client of Step Functions that keeps the answers."""

    class exceptions:  # noqa: N801 (boto3's name)
        ClientError = RuntimeError

    def __init__(self):
        self.sent = []

    def send_task_success(self, **answer):
        self.sent.append(answer)


def test_the_rendezvous_opens_a_gate_through_dynamodb(loopback, monkeypatch):
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    monkeypatch.setenv("STEPWEAVE_TABLE", TABLE)
    module = importlib.import_module("functions.rendezvous.handler")
    module._ports.cache_clear()
    step_functions = StepFunctions()
    clients = {"dynamodb": dynamodb, "stepfunctions": step_functions}
    monkeypatch.setattr(module.boto3, "client", clients.__getitem__)
    wait = {"run": "r1", "gate": "join", "await": ["a"], "strict": True, "token": "T"}
    arrive = {"run": "r1", "arrived": {"a": {"status": "success"}}, "gates": {"a": ["join"]}}
    assert module.handler(wait, LambdaContext()) == {"opened": []}
    assert module.handler(arrive, LambdaContext()) == {"opened": ["join"]}
    assert step_functions.sent == [{"taskToken": "T", "output": '{"records": {"a": {"status": "success"}}}'}]
    dynamodb.close()


def test_the_rendezvous_never_logs_a_task_token(loopback, monkeypatch, capsys):
    monkeypatch.setenv("STEPWEAVE_TABLE", "any")
    module = importlib.import_module("functions.rendezvous.handler")
    monkeypatch.setattr(module, "_ports", lambda table: (module_gates(), None))
    module.handler(
        {"run": "r1", "gate": "g", "await": ["a"], "strict": False, "token": "secret"}, LambdaContext()
    )
    assert "secret" not in capsys.readouterr().out


def module_gates():
    return importlib.import_module("stepweave.runtime.memory_gates").MemoryGates()


def test_the_rendezvous_says_what_is_not_set(loopback):
    module = importlib.import_module("functions.rendezvous.handler")
    module._ports.cache_clear()
    with pytest.raises(UsageError, match="STEPWEAVE_TABLE is not set"):
        module.handler({"run": "r1"}, LambdaContext())


def test_the_task_runner_starts_without_boto3_and_data_libraries():
    code = (
        "import sys, functions.task_runner.handler\n"
        "names = 'boto3', 'botocore.session', 'numpy', 'pandas', 'sqlite3'\n"
        "sys.exit(' '.join(name for name in names if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


@pytest.fixture
def approvals(loopback, monkeypatch, tmp_path):
    monkeypatch.setenv("STEPWEAVE_STORE", f"s3://{BUCKET}/{tmp_path.name}")
    module = importlib.import_module("functions.approvals.handler")
    module._ports.cache_clear()
    return module


def test_a_person_answers_what_a_state_machine_asked(approvals, monkeypatch):
    step_functions = StepFunctions()
    monkeypatch.setattr(approvals.boto3, "client", {"stepfunctions": step_functions}.__getitem__)
    run = {"dag": "sales", "id": "r1", "execution": "e1"}
    ask = {
        "run": run,
        "task": "ok",
        "args": '{"message": {"v": "Deploy?"}}',
        "approvers": ["ana"],
        "token": "T",
    }
    assert approvals.handler(ask, LambdaContext()) == {"answered": False}
    said = {"run": run, "task": "ok", "answer": {"approved": True, "by": "ana"}}
    assert approvals.handler(said, LambdaContext())["by"] == "ana"
    (sent,) = step_functions.sent
    assert (sent["taskToken"], json.loads(json.loads(sent["output"])["value"])["approved"]) == ("T", True)
    late = {**ask, "decide": "reject"}
    assert json.loads(approvals.handler(late, LambdaContext())["value"])["by"] == "ana"


def test_approvals_never_log_a_task_token(approvals, monkeypatch, capsys):
    monkeypatch.setattr(approvals.boto3, "client", {"stepfunctions": StepFunctions()}.__getitem__)
    run = {"dag": "sales", "id": "r1"}
    ask = {"run": run, "task": "ok", "args": '{"message": {"v": "secret?"}}', "token": "top-secret"}
    approvals.handler(ask, LambdaContext())
    assert "top-secret" not in capsys.readouterr().out


def test_approvals_say_what_is_not_set(approvals, monkeypatch):
    monkeypatch.delenv("STEPWEAVE_STORE")
    with pytest.raises(UsageError, match="STEPWEAVE_STORE is not set"):
        approvals.handler({"run": {"dag": "d", "id": "r"}, "task": "ok"}, LambdaContext())


def test_the_image_copies_only_folders_that_exist():
    lines = (ROOT / "functions" / "batch_worker" / "Dockerfile").read_text().splitlines()
    copied = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
