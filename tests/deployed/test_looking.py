"""Runs as they are now: by their execution, unless that is not the one to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from stepweave.deployed.deployment import open_deployment
from stepweave.deployed.executions import Execution
from stepweave.deployed.finding import find_run
from stepweave.deployed.looking import as_it_is, as_seen, follow
from stepweave.stores.run_table import DeployedRun, RunFacts
from tests.deployed.deployed_world import EXECUTION, World
from tests.deployed.engine_histories import moment

FIRST = f"{EXECUTION}:stepweave-dev-sales:sales-1"


@dataclass
class StepFunctions:
    """A client of Step Functions whose executions have these statuses."""

    statuses: dict[str, str]

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 (boto3's parameter)
        status = self.statuses[executionArn]
        return {"stateMachineArn": "m", "status": status, "startDate": moment(1.0), "stopDate": moment(2.0)}


@pytest.fixture
def resumed(world: World) -> DeployedRun:
    """A run that failed, was resumed, and waits for others of its DAG."""
    world.deploy("sales")
    world.record("sales", "sales-1", "failed", execution=FIRST)
    world.step_functions = StepFunctions({FIRST: "FAILED"})
    seen = world.runs.get("sales", "sales-1")
    assert world.queue.enqueue("sales", "sales-1", "{}", RunFacts(), 1_000, execution="sales-1-r1", seen=seen)
    return find_run(open_deployment("dev"), "sales-1")


def test_a_run_whose_record_is_late_is_what_its_execution_says(world: World) -> None:
    world.deploy("sales")
    world.record("sales", "sales-1", "running", execution=FIRST)
    world.step_functions = StepFunctions({FIRST: "SUCCEEDED"})
    deployment = open_deployment("dev")
    assert as_it_is(deployment, find_run(deployment, "sales-1")).status == "success"


def test_a_resumed_run_that_waits_is_queued_whatever_became_of_the_execution_before(
    resumed: DeployedRun,
) -> None:
    assert as_it_is(open_deployment("dev"), resumed).status == "queued"


def test_who_follows_a_resumed_run_that_waits_sees_the_end_of_the_execution_to_come(
    world: World, resumed: DeployedRun
) -> None:
    second = f"{FIRST}-r1"

    def begins(seconds: float) -> None:
        world.record("sales", "sales-1", "running", execution=second)
        world.step_functions.statuses[second] = "SUCCEEDED"

    ended = follow(open_deployment("dev"), resumed, None, sleep=begins)
    assert isinstance(ended, Execution)
    assert (ended.arn, ended.status) == (second, "success")
    assert as_seen(resumed, ended).status == "success"
