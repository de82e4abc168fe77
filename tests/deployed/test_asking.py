"""Runs are started, resumed, stopped and approved by the functions and services of their environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from stepweave.deployed.deciding import approve
from stepweave.deployed.deployment import open_deployment
from stepweave.deployed.finding import find_run
from stepweave.deployed.run_records import RunRecords
from stepweave.deployed.starting import Started, resume, trigger
from stepweave.deployed.stopping import PATIENCE_SECONDS, cancel
from stepweave.errors import StepweaveError, UsageError
from stepweave.runtime.run_ids import check_run_id
from stepweave.stores.run_queue import Waiting
from stepweave.stores.run_table import RunFacts
from tests.deployed.deployed_world import EXECUTION, FunctionFailed, World
from tests.deployed.engine_histories import moment


def started(event: Mapping[str, Any]) -> dict[str, Any]:
    return {"run_id": event.get("run_id", "sales-1"), "execution": f"{EXECUTION}:m:r", "status": "started"}


def test_a_run_is_asked_of_the_starter_with_what_was_given_and_nothing_else(world: World) -> None:
    world.deploy("sales")
    world.functions.functions["sales-starter:live"] = started
    found = trigger(open_deployment("dev"), "sales", {"n": 1}, run_id="sales-9", by="ada")
    assert found == Started(dag_id="sales", run_id="sales-9", execution=f"{EXECUTION}:m:r", status="started")
    request = {"source": "manual", "params": {"n": 1}, "run_id": "sales-9", "by": "ada"}
    assert world.functions.asked == [("sales-starter:live", request)]


def test_a_run_has_its_id_before_it_is_asked_for_so_that_a_repeated_call_starts_no_second_one(
    world: World,
) -> None:
    dag = "a" * 60
    world.deploy(dag)
    world.functions.functions[f"{dag}-starter:live"] = lambda event: {**started(event), "status": "duplicate"}
    found = trigger(open_deployment("dev"), dag, {})
    (_, request) = world.functions.asked[0]
    assert request["run_id"] == found.run_id == check_run_id(found.run_id)
    assert (len(found.run_id), found.status) == (74, "started")


@pytest.mark.parametrize("kind", ["UsageError", "ParamsError", "DataError"])
def test_what_the_starter_refuses_is_a_usage_error_in_its_words(kind: str, world: World) -> None:
    def refuse(event: Mapping[str, Any]) -> Any:
        raise FunctionFailed(kind, "param n: expected a number, got 'x'")

    world.deploy("sales")
    world.functions.functions["sales-starter:live"] = refuse
    with pytest.raises(UsageError, match=r"^param n: expected a number, got 'x'$"):
        trigger(open_deployment("dev"), "sales", {"n": "x"})


def test_a_starter_that_breaks_is_no_fault_of_the_user(world: World) -> None:
    def broken(event: Mapping[str, Any]) -> Any:
        raise FunctionFailed("Sandbox.Timedout", "Task timed out after 30 seconds")

    world.deploy("sales")
    world.functions.functions["sales-starter:live"] = broken
    with pytest.raises(StepweaveError, match=r"sales-starter:live failed: .*timed out") as error:
        trigger(open_deployment("dev"), "sales", {})
    assert not isinstance(error.value, UsageError)


def test_a_failed_run_is_resumed_by_its_id(world: World) -> None:
    world.deploy("sales")
    world.record("sales", "sales-1", "failed")
    world.functions.functions["sales-starter:live"] = started
    deployment = open_deployment("dev")
    resume(deployment, find_run(deployment, "sales-1"), by="ada")
    assert world.functions.asked[0][1] == {"source": "resume", "run_id": "sales-1", "by": "ada"}


@pytest.mark.parametrize(
    "status, word", [("success", "nothing to resume"), ("running", "stepweave cancel sales-1 --env dev")]
)
def test_a_run_that_did_not_end_badly_is_not_resumed(status: Any, word: str, world: World) -> None:
    world.deploy("sales")
    world.record("sales", "sales-1", status)
    deployment = open_deployment("dev")
    with pytest.raises(UsageError, match=word):
        resume(deployment, find_run(deployment, "sales-1"))
    assert world.functions.asked == []


@dataclass
class StoppingStepFunctions:
    """An execution that takes a moment to stop."""

    status: str = "RUNNING"
    looks_until_stopped: int = 2
    stopped: list[Mapping[str, str]] = field(default_factory=list)

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if self.stopped:
            self.looks_until_stopped -= 1
        status = "ABORTED" if self.stopped and self.looks_until_stopped <= 0 else self.status
        return {"stateMachineArn": "m", "status": status, "startDate": moment(1.0)}

    def stop_execution(self, **given: str) -> None:
        self.stopped.append(given)


def test_a_run_is_stopped_and_waited_for(world: World) -> None:
    world.deploy("sales")
    world.record("sales", "sales-1", "running", execution=f"{EXECUTION}:m:sales-1")
    world.step_functions = StoppingStepFunctions()
    deployment, slept = open_deployment("dev"), list[float]()
    assert cancel(deployment, find_run(deployment, "sales-1"), "ada", slept.append) == ("cancelled", True)
    assert world.step_functions.stopped == [
        {"executionArn": f"{EXECUTION}:m:sales-1", "error": "Cancelled", "cause": "cancelled by ada"}
    ]
    assert len(slept) == 1


def test_a_run_that_has_ended_meanwhile_is_left_alone(world: World) -> None:
    world.deploy("sales")
    world.record("sales", "sales-1", "running")
    world.step_functions = StoppingStepFunctions("SUCCEEDED")
    deployment = open_deployment("dev")
    assert cancel(deployment, find_run(deployment, "sales-1"), "ada") == ("success", False)
    assert world.step_functions.stopped == []


def test_a_queued_run_is_taken_out_of_the_queue(world: World) -> None:
    world.deploy("sales")
    world.queue.enqueue("sales", "sales-1", "{}", RunFacts(), 1_000)
    deployment = open_deployment("dev")
    assert cancel(deployment, find_run(deployment, "sales-1"), "ada") == ("cancelled", True)
    found = RunRecords(deployment).run("sales", "sales-1")
    assert found is not None
    assert found.status == "cancelled"
    assert list(world.runs.queued("sales")) == []


def claimed(world: World, run_id: str = "sales-1") -> tuple[Waiting, str]:
    """A queued run that a starter is about to start."""
    world.deploy("sales")
    world.queue.enqueue("sales", run_id, "{}", RunFacts(), 1_000)
    waiting = world.queue.first("sales")
    assert waiting is not None
    claim = world.queue.claim(waiting, 1, 1_000)
    assert claim is not None
    return waiting, claim


def test_a_run_that_is_just_beginning_is_waited_for_and_stopped(world: World) -> None:
    claimed(world)
    world.step_functions = StoppingStepFunctions()
    deployment, arn = open_deployment("dev"), f"{EXECUTION}:m:sales-1"

    def begins(seconds: float) -> None:
        world.record("sales", "sales-1", "running", execution=arn)

    assert cancel(deployment, find_run(deployment, "sales-1"), "ada", begins) == ("cancelled", True)
    assert [one["executionArn"] for one in world.step_functions.stopped] == [arn]


def test_a_run_that_was_about_to_begin_and_could_not_is_taken_out_of_the_queue(world: World) -> None:
    waiting, claim = claimed(world)
    deployment = open_deployment("dev")
    found = cancel(
        deployment,
        find_run(deployment, "sales-1"),
        "ada",
        lambda seconds: world.queue.give_up(waiting, claim),
    )
    assert found == ("cancelled", True)
    assert world.queue.active("sales") == {}


def test_a_run_that_is_about_to_begin_for_long_is_not_said_to_be_stopped(world: World) -> None:
    claimed(world)
    deployment, slept = open_deployment("dev"), list[float]()
    with pytest.raises(StepweaveError, match="is just beginning, since 60 s"):
        cancel(deployment, find_run(deployment, "sales-1"), "ada", slept.append)
    assert sum(slept) == PATIENCE_SECONDS
    assert find_run(deployment, "sales-1").status == "queued"


def test_who_comes_second_to_a_queued_run_is_told_that_it_was_stopped_before(world: World) -> None:
    world.deploy("sales")
    world.queue.enqueue("sales", "sales-1", "{}", RunFacts(), 1_000)
    deployment = open_deployment("dev")
    seen = find_run(deployment, "sales-1")
    answers = [cancel(deployment, seen, by) for by in ("ada", "ben")]
    assert answers == [("cancelled", True), ("cancelled", False)]
    assert cancel(deployment, find_run(deployment, "sales-1"), "eve") == ("cancelled", False)


def test_a_decision_is_told_to_the_approvals_function_which_answers_it(world: World) -> None:
    decision = {"approved": False, "by": "ada", "at": "2026-01-01T00:00:00+00:00", "comment": "AUC fell"}
    world.functions.functions["approvals-dev:live"] = lambda event: decision
    found = approve(
        open_deployment("dev"),
        dag="d",
        run="r",
        task="t",
        index="3",
        approved=False,
        by="ada",
        comment="AUC fell",
    )
    assert found == decision
    assert world.functions.asked[0][1] == {
        "run": {"dag": "d", "id": "r", "index": "3"},
        "task": "t",
        "answer": {"approved": False, "by": "ada", "comment": "AUC fell"},
    }
