import importlib
import json

import pytest

from stepweave.errors import ParamsError, UsageError
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import ExecutionState, RunTable
from tests.functions.environment_fakes import ALIAS, TABLE, LambdaContext

DAG = {
    "dag": "sales",
    "params": [{"name": "uri", "schema": {"type": "string"}, "default": "none"}],
    "triggers": [{"param": "uri"}],
    "max_active_runs": 1,
}


@pytest.fixture
def call(dynamodb, states, monkeypatch, tmp_path):
    (tmp_path / "dag.json").write_text(json.dumps(DAG))
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setenv("STEPWEAVE_TABLE", TABLE)
    monkeypatch.setenv("STEPWEAVE_MACHINE", ALIAS)
    module = importlib.import_module("functions.starter.handler")
    module.read_dag_file.cache_clear()
    clients = {"dynamodb": dynamodb, "stepfunctions": states}
    monkeypatch.setattr(module, "client", clients.__getitem__)
    return lambda **event: module.handler(event, LambdaContext())


def fail(dynamodb, states, arn, status="failed"):
    states.end(arn, "FAILED")
    state = ExecutionState(
        dag="sales",
        run_id="r1",
        execution=arn,
        status=status,
        started_ms=round(states.clock.timestamp() * 1000),
        ended_ms=round(states.clock.timestamp() * 1000),
    )
    RunTable(dynamodb, TABLE).tell(state)


def test_a_person_starts_a_run_and_the_next_one_waits(call, states):
    first = call(source="manual", run_id="r1", params={"uri": "s3://a"}, by="ana")
    second = call(source="manual", run_id="r2")
    assert first == {"run_id": "r1", "execution": states.started[0], "status": "started"}
    assert second == {"run_id": "r2", "execution": None, "status": "queued"}
    assert call(source="queue") == {"run_id": None, "execution": None, "status": "idle"}


def test_a_folder_that_is_made_in_the_console_starts_nothing(call, states):
    folder = {"detail": {"bucket": {"name": "data"}, "object": {"key": "raw/", "size": 0, "etag": "e"}}}
    assert call(source="s3", trigger=0, event=folder)["status"] == "ignored"
    assert states.started == []
    full = {"detail": {"bucket": {"name": "data"}, "object": {"key": "raw/", "size": 5, "etag": "e"}}}
    assert call(source="s3", trigger=0, event=full)["status"] == "started"


def test_who_started_a_run_is_on_record(call, dynamodb):
    call(source="manual", run_id="r1", by="ana")
    facts = RunTable(dynamodb, TABLE).get("sales", "r1").facts
    assert (facts.by, json.loads(facts.trigger)) == ("ana", {"source": "manual", "by": "ana"})


def test_a_run_without_an_id_gets_one(call):
    assert call(source="manual")["run_id"].startswith("sales-20")


def test_a_failed_run_is_resumed_with_the_params_of_its_record(call, dynamodb, states):
    arn = call(source="manual", run_id="r1", params={"uri": "s3://a"})["execution"]
    fail(dynamodb, states, arn)
    RunQueue(dynamodb, TABLE).free("sales", "r1")
    again = call(source="resume", run_id="r1", by="ben")
    assert (again["status"], again["execution"]) == ("started", f"{arn}-r1")
    given = json.loads(states.executions[again["execution"]]["input"])
    assert given == {"params": {"uri": "s3://a"}, "run_id": "r1", "resume": True}


def test_params_that_are_too_long_for_the_record_are_those_of_the_execution(call, dynamodb, states):
    arn = call(source="manual", run_id="r1", params={"uri": "x" * 40_000})["execution"]
    fail(dynamodb, states, arn)
    RunQueue(dynamodb, TABLE).free("sales", "r1")
    assert RunTable(dynamodb, TABLE).get("sales", "r1").params is None
    again = call(source="resume", run_id="r1")
    assert json.loads(states.executions[again["execution"]]["input"])["params"] == {"uri": "x" * 40_000}


@pytest.mark.parametrize("status, told", [("running", "is running"), ("success", "is success")])
def test_only_what_ended_without_success_is_resumed(call, dynamodb, states, status, told):
    arn = call(source="manual", run_id="r1")["execution"]
    if status == "success":
        fail(dynamodb, states, arn, "success")
    with pytest.raises(UsageError, match=told):
        call(source="resume", run_id="r1")


def test_a_run_that_nobody_knows_is_not_resumed(call):
    with pytest.raises(UsageError, match="has no run 'r9' on record"):
        call(source="resume", run_id="r9")


def test_bad_params_start_nothing(call, states):
    with pytest.raises(ParamsError, match="does not fit its declaration"):
        call(source="manual", params={"uri": 3})
    assert states.started == []


def test_a_starter_without_its_file_says_what_to_do(call, monkeypatch, tmp_path):
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path / "elsewhere"))
    with pytest.raises(UsageError, match="deploy the DAG again"):
        call(source="manual")


def test_a_starter_without_its_machine_says_what_is_not_set(call, monkeypatch):
    monkeypatch.delenv("STEPWEAVE_MACHINE")
    with pytest.raises(UsageError, match="STEPWEAVE_MACHINE is not set"):
        call(source="manual")


@pytest.mark.parametrize("days", ["0", "many", "-1"])
def test_a_number_of_days_that_is_none_is_told(call, monkeypatch, days):
    monkeypatch.setenv("STEPWEAVE_RECORDS_DAYS", days)
    with pytest.raises(UsageError, match="expected a whole number of days"):
        call(source="manual")


def test_runs_are_on_record_as_long_as_the_settings_say(call, dynamodb, monkeypatch, states):
    monkeypatch.setenv("STEPWEAVE_RECORDS_DAYS", "10")
    call(source="manual", run_id="r1")
    key = {"pk": {"S": "DAG#sales"}, "sk": {"S": "RUN#r1"}}
    item = dynamodb.get_item(TableName=TABLE, Key=key)["Item"]
    assert int(item["expires"]["N"]) == round(states.clock.timestamp()) + 10 * 86_400
