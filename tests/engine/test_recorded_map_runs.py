"""Distributed maps as AWS recorded them.

The facts are from executions that others ran on AWS: the snapshots of localstack
(https://github.com/localstack/localstack, tests/aws/services/stepfunctions, 2023 to 2025) and floci
(https://github.com/floci-io/floci/issues/2671, /pull/2694 and /pull/3167, us-east-1, 2026). The machines here are
our own.
"""

import asyncio
from typing import Any

import pytest

from stepweave.engine.execution import Execution
from stepweave.engine.objects import MemoryObjects
from tests.engine.building import Lab, block, call, machine, passing
from tests.engine.recording import details, steps, where

DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "JSON"},
    "Arguments": {"Bucket": "things", "Key": "items.json"},
}


def mapped(child: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A machine of one distributed Map, whose children are of one state."""
    processor = {**DISTRIBUTED, **block(("each", passing() if child is None else child))}
    return machine(("m", {"Type": "Map", "Label": "L", "ItemProcessor": processor, **fields}))


def described(lab: Lab) -> dict[str, Any]:
    """What DescribeMapRun tells of the only map run."""
    (only,) = lab.engine.list_map_runs("run-1")
    return lab.engine.describe_map_run(only["mapRunArn"])


def counts(answer: dict[str, Any], kind: str = "itemCounts") -> dict[str, int]:
    """The numbers of a map run that are not 0."""
    return {name: number for name, number in answer[kind].items() if number}


async def third_fails(event: Any) -> Any:
    """The event, which must not be 3."""
    if event == 3:
        raise ValueError("3")
    return event


async def never(event: Any) -> None:
    """Nothing, too late."""
    await asyncio.sleep(1e6)


def test_a_map_run_is_two_events_of_its_parent_and_the_exit_follows_its_start() -> None:
    lab = Lab({"main": mapped(Items=[1, 2])})
    execution = lab.run()
    assert steps(execution)[1:] == [
        "2<0 MapStateEntered",
        "3<2 MapStateStarted",
        "4<3 MapRunStarted",
        "5<4 MapRunSucceeded",
        "6<5 MapStateSucceeded",
        "7<4 MapStateExited",
        "8<7 ExecutionSucceeded",
    ]
    assert details(execution, "MapStateStarted") == {"length": 2}
    assert details(execution, "MapRunSucceeded") is None
    arn = (details(execution, "MapRunStarted") or {})["mapRunArn"]
    assert arn.split(":")[5:7] == ["mapRun", "main/L"]
    assert [run["mapRunArn"] for run in lab.engine.list_map_runs("run-1")] == [arn]


def test_a_map_that_reads_its_items_starts_with_a_length_of_0() -> None:
    objects = MemoryObjects({"things": {"items.json": "[1, 2, 3]"}})
    execution = Lab({"main": mapped(ItemReader=READER)}, objects=objects).run()
    assert execution.output == [1, 2, 3]
    assert details(execution, "MapStateStarted") == {"length": 0}


def test_a_map_run_that_fails_is_told_before_its_state() -> None:
    objects = MemoryObjects({"things": {"items.json": "5"}})
    execution = Lab({"main": mapped(ItemReader=READER)}, objects=objects).run()
    said = {"error": "States.ItemReaderFailed", "cause": "Attempting to map over non-iterable node."}
    assert steps(execution)[3:] == [
        "4<3 MapRunStarted",
        "5<4 MapRunFailed",
        "6<5 MapStateFailed",
        "7<6 ExecutionFailed",
    ]
    assert details(execution, "MapRunFailed") == said
    assert details(execution, "ExecutionFailed") == said


def test_a_tolerance_out_of_range_ends_the_execution_before_the_map_run() -> None:
    execution = Lab({"main": mapped(Items=[1], ToleratedFailurePercentage="{% 101 %}")}).run()
    assert steps(execution)[2:] == ["3<2 MapStateStarted", "4<3 ExecutionFailed"]
    assert details(execution, "ExecutionFailed") == {
        "error": "States.Runtime",
        "cause": where("m", 2) + "ToleratedFailurePercentage must be between 0 and 100.",
    }


@pytest.mark.parametrize("limit,told", [({}, 2_147_483_647), ({"MaxConcurrency": 1}, 1)])
def test_a_map_run_that_succeeded_counts_items_and_executions(limit: dict[str, Any], told: int) -> None:
    lab = Lab({"main": mapped(Items=[1, 2], **limit)})
    lab.run()
    answer = described(lab)
    assert counts(answer, "itemCounts") == {"succeeded": 2, "total": 2, "resultsWritten": 2}
    assert counts(answer, "executionCounts") == {"succeeded": 2, "total": 2, "resultsWritten": 2}
    assert (answer["status"], answer["maxConcurrency"], answer["redriveCount"]) == ("SUCCEEDED", told, 0)
    assert (answer["toleratedFailureCount"], answer["toleratedFailurePercentage"]) == (0, 0.0)
    assert "redriveDate" not in answer


@pytest.mark.parametrize(
    "tolerated,status,numbers",
    [
        ({}, "FAILED", {"succeeded": 2, "failed": 1, "pending": 2}),
        ({"ToleratedFailureCount": 5}, "SUCCEEDED", {"succeeded": 4, "failed": 1}),
    ],
)
def test_what_a_failed_item_makes_of_a_map_run(
    tolerated: dict[str, Any], status: str, numbers: dict[str, int]
) -> None:
    child = call("third_fails", "{% $states.input %}")
    definition = mapped(child, Items=[1, 2, 3, 4, 5], MaxConcurrency=1, **tolerated)
    lab = Lab({"main": definition}, {"third_fails": third_fails})
    assert lab.run().status == status
    answer = described(lab)
    written = answer["itemCounts"].pop("resultsWritten")
    assert (answer["status"], counts(answer)) == (status, {**numbers, "total": 5})
    assert written == numbers["succeeded"] + numbers["failed"]


def test_a_map_run_that_is_stopped_leaves_the_rest_of_its_items_pending() -> None:
    child = call("never", "{% $states.input %}")
    lab = Lab({"main": mapped(child, Items=[1, 2, 3], MaxConcurrency=1)}, {"never": never})

    async def scenario() -> Execution:
        lab.engine.start("main", {}, "run-1")
        await asyncio.sleep(1)
        running = described(lab)
        assert ("stopDate" in running, counts(running)) == (False, {"running": 1, "pending": 2, "total": 3})
        lab.engine.stop("run-1")
        return await lab.engine.wait("run-1")

    assert lab.clock.run(scenario()).status == "ABORTED"
    assert described(lab)["status"] == "ABORTED"
    assert counts(described(lab)) == {"aborted": 1, "pending": 2, "total": 3}
