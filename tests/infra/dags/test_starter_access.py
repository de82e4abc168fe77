"""What the starter calls, its role allows, and nothing more."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.dags.starting import starter_needs
from infra.needs import document, statements
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import ExecutionState, RunTable
from tests.functions.environment_fakes import (
    ALIAS,
    TABLE,
    LambdaContext,
    StepFunctions,
    records_table,
    refused,
)
from tests.infra.dags.iam import Request, allows, without_each
from tests.infra.noting import ARNS, Noted, Noting, table_requests

LOG = "/stepweave/dev/sales/starter"
DAG = {"dag": "sales", "params": [], "triggers": [{"param": None}], "max_active_runs": 1}


def state_requests(name: str, arguments: Any) -> Iterator[Request]:
    match name:
        case "start_execution":  # IAM is asked about the machine, also when an alias is started
            yield Request("states:StartExecution", ":".join(arguments["stateMachineArn"].split(":")[:7]))
        case "describe_execution":
            yield Request("states:DescribeExecution", arguments["executionArn"])
        case other:
            raise AssertionError(f"the starter calls {other}")


def everything(call: Callable[..., Any], dynamodb: Any, states: StepFunctions) -> None:
    """All that a starter is asked for, and what can go wrong."""

    def end(arn: str, status: str) -> None:
        run_id = arn.rpartition(":")[2]
        moment = round(states.clock.timestamp() * 1000)
        ended = ExecutionState(
            dag="sales", run_id=run_id, execution=arn, status=status, started_ms=moment, ended_ms=moment
        )
        states.end(arn, "FAILED")
        RunTable(dynamodb, TABLE).tell(ended)
        RunQueue(dynamodb, TABLE).free("sales", run_id)

    first = call(source="manual", run_id="r1", params={"text": "x" * 40_000})["execution"]
    assert call(source="manual", run_id="r1")["status"] == "duplicate"
    assert call(source="manual", run_id="r2")["status"] == "queued"
    assert call(source="schedule", scheduled_time="2026-11-21T06:00:00Z", schedule="s")["status"] == "queued"
    end(first, "failed")
    second = call(source="queue")["execution"]
    end(second, "failed")
    third = call(source="queue")["execution"]
    end(third, "failed")
    assert call(source="queue")["status"] == "idle"
    assert call(source="resume", run_id="r1")["status"] == "started"
    end(states.started[-1], "failed")
    states.refusals.append(refused("ExecutionLimitExceeded"))
    with pytest.raises(Exception, match="ExecutionLimitExceeded"):
        call(source="manual", run_id="r5")


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Request]:
    """What IAM sees of a starter that does everything."""
    (tmp_path / "dag.json").write_text(
        json.dumps({**DAG, "params": [{"name": "text", "schema": {}, "default": ""}]})
    )
    for name, value in {
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "STEPWEAVE_TABLE": TABLE,
        "STEPWEAVE_MACHINE": ALIAS,
    }.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("functions.starter.handler")
    module.read_dag_file.cache_clear()
    states, found = StepFunctions(), Noted()
    with records_table(monkeypatch) as dynamodb:
        clients = {
            "dynamodb": Noting(dynamodb, table_requests, found),
            "stepfunctions": Noting(states, state_requests, found),
        }
        monkeypatch.setattr(module, "client", clients.__getitem__)
        everything(lambda **event: module.handler(event, LambdaContext()), dynamodb, states)
    return list(found.values())


def policy() -> dict[str, Any]:
    return document(statements(starter_needs("sales", LOG, ARNS, tracing=False)))


def test_the_role_of_a_starter_allows_what_it_calls_and_nothing_else(noted: list[Request]) -> None:
    assert [str(one) for one in noted if not allows(policy(), one)] == []
    stream = f"{ARNS.log_group(LOG)[:-1]}log-stream:2026/11/21"
    asked = [*noted, *(Request(f"logs:{action}", stream) for action in ("CreateLogStream", "PutLogEvents"))]
    assert [what for what, less in without_each(policy()) if all(allows(less, one) for one in asked)] == []


def test_a_starter_reaches_no_records_of_another_dag(noted: list[Request]) -> None:
    for one in noted:
        if one.action.startswith("dynamodb:"):
            other = Request(one.action, one.resource, {"dynamodb:LeadingKeys": ("DAG#other",)})
            assert not allows(policy(), other)
