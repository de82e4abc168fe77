import importlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from stepweave.deployed.environment import DeployedDag
from stepweave.errors import UsageError
from tests.functions.environment_fakes import (
    ALIAS,
    BEGAN,
    MACHINE,
    STARTER,
    TABLE,
    Bus,
    Functions,
    LambdaContext,
    Topic,
    detail,
)

DAG = DeployedDag(dag="sales", machine=ALIAS, starter=STARTER)


class Parameters:
    """A client of SSM that knows one DAG."""

    def get_paginator(self, operation):
        return self

    def paginate(self, **asked):
        return [{"Parameters": [{"Value": DAG.to_json(), "LastModifiedDate": BEGAN}]}]


@pytest.fixture
def recorder(dynamodb, states, monkeypatch, tmp_path):
    for name, value in {
        "STEPWEAVE_ENV": "dev",
        "STEPWEAVE_STORE": str(tmp_path),
        "STEPWEAVE_TABLE": TABLE,
        "STEPWEAVE_TOPICS": '{"warn": "arn:warn"}',
    }.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("functions.recorder.handler")
    module._parts.cache_clear()
    module.topic = Topic()
    clients = {
        "dynamodb": dynamodb,
        "stepfunctions": states,
        "sns": module.topic,
        "lambda": Functions(),
        "events": Bus(),
        "ssm": Parameters(),
    }
    monkeypatch.setattr(module, "client", clients.__getitem__)
    yield module
    module._parts.cache_clear()


def event_of(told):
    return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": told}


def test_a_status_event_is_recorded_and_told_in_one_line(recorder, states, capsys):
    states.start_execution(stateMachineArn=ALIAS, name="r1", input='{"run_id": "r1", "params": {}}')
    arn = states.started[0]
    assert recorder.handler(event_of(detail(states.executions[arn])), LambdaContext()) == {
        "run_id": "r1",
        "status": "running",
    }
    ended = states.end(arn, "FAILED", error="DagRunFailed", cause="failed: load")
    recorder.handler(event_of(ended), LambdaContext())
    assert json.loads(recorder.topic.published[0]["Message"])
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (metrics["RunsFailed"], metrics["dag"]) == (1, "sales")


def test_events_of_parts_and_of_strangers_change_nothing(recorder, states, dynamodb):
    for machine in (f"{MACHINE}--cleanup", MACHINE.replace("sales", "others")):
        states.start_execution(stateMachineArn=machine, name="r1", input="{}")
        told = event_of(detail(states.executions[states.started[-1]]))
        assert recorder.handler(told, LambdaContext()) == {"run_id": None}
    assert dynamodb.scan(TableName=TABLE)["Items"] == []


def test_the_hourly_call_reconciles_and_counts_what_waits(recorder, states, capsys):
    states.start_execution(stateMachineArn=ALIAS, name="r1", input='{"run_id": "r1"}')
    counts = recorder.handler({"reconcile": True}, LambdaContext(milliseconds=300_000))
    assert (counts["dags"], counts["records"]) == (1, 1)
    line = next(json.loads(one) for one in capsys.readouterr().out.splitlines() if "QueuedRuns" in one)
    assert (line["QueuedRuns"], line["MissedSchedules"]) == (0, 0)
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["env"]]


def test_the_hourly_call_deletes_versions_that_were_replaced_before_the_days_of_the_settings(
    recorder, monkeypatch
):
    functions = recorder.client("lambda")
    published = {number: datetime.now(UTC) - timedelta(days=20 - number) for number in range(1, 7)}
    functions.versions["stepweave-dev-sales--tasks"] = published
    with_time = LambdaContext(milliseconds=300_000)
    assert recorder.handler({"reconcile": True}, with_time)["versions"] == 0
    monkeypatch.setenv("STEPWEAVE_VERSIONS_DAYS", "10")
    assert recorder.handler({"reconcile": True}, with_time)["versions"] == 3
    assert set(published) == {4, 5, 6}


def test_a_reconciler_without_time_does_nothing(recorder):
    assert recorder.handler({"reconcile": True}, LambdaContext(milliseconds=5_000))["dags"] == 0


@pytest.mark.parametrize("event", [{}, {"source": "aws.s3", "detail": {}}, {"source": "aws.states"}])
def test_what_is_no_status_event_is_refused(recorder, event):
    with pytest.raises(UsageError, match="expected a status event of"):
        recorder.handler(event, LambdaContext())


@pytest.mark.parametrize(
    "variable, value, told",
    [
        ("STEPWEAVE_ENV", "", "STEPWEAVE_ENV is not set"),
        ("STEPWEAVE_TOPICS", "arn:warn", "STEPWEAVE_TOPICS is not a JSON object"),
        ("STEPWEAVE_STORE", "", "STEPWEAVE_STORE is not set"),
    ],
)
def test_what_is_not_set_is_told(recorder, monkeypatch, variable, value, told):
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=told):
        recorder.handler({"reconcile": True}, LambdaContext())
