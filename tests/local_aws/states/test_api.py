from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine.objects import MemoryObjects
from stepweave.local_aws.states.failing import ApiError
from tests.local_aws.states.world import Local, Registry, definition, execution_arn, invoke, machine_arn

ITEMS = {
    "Type": "Map",
    "Items": [1, 2, 3],
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "double",
        "States": {"double": {"Type": "Pass", "Output": "{% $states.input * 2 %}", "End": True}},
    },
}


def code(refused: pytest.ExceptionInfo[ApiError]) -> str:
    return refused.value.code


def test_the_children_of_a_distributed_map_are_executions_of_their_own(tmp_path: Path) -> None:
    local = Local(tmp_path, objects=MemoryObjects())
    arn = local.registry.deploy("main", definition(ITEMS))

    async def main() -> None:
        answer = await local.ended(local.states.start(arn, name="one").arn)
        assert json.loads(answer["output"]) == [2, 4, 6]
        runs = (await local.ask("ListMapRuns", executionArn=answer["executionArn"]))["mapRuns"]
        (run,) = [item["mapRunArn"] for item in runs]
        described = await local.ask("DescribeMapRun", mapRunArn=run)
        assert (described["status"], described["itemCounts"]["succeeded"]) == ("SUCCEEDED", 3)
        children = (await local.ask("ListExecutions", mapRunArn=run))["executions"]
        assert [child["status"] for child in children] == ["SUCCEEDED"] * 3
        child = await local.ask("DescribeExecution", executionArn=children[0]["executionArn"])
        assert child["mapRunArn"] == run
        history = await local.ask("GetExecutionHistory", executionArn=child["executionArn"])
        assert history["events"][0]["type"] == "ExecutionStarted"
        machine = await local.ask("DescribeStateMachineForExecution", executionArn=child["executionArn"])
        assert machine["name"] == "main"
        listed = (await local.ask("ListExecutions", stateMachineArn=arn))["executions"]
        assert [item["name"] for item in listed] == ["one"]

    local.run(main())


def test_the_children_of_a_distributed_map_are_known_after_a_restart(tmp_path: Path) -> None:
    registry = Registry()
    arn = registry.deploy("main", definition(ITEMS))
    first = Local(tmp_path, registry=registry, objects=MemoryObjects())

    async def before() -> str:
        answer = await first.ended(first.states.start(arn, name="one").arn)
        await first.states.leave()
        runs = (await first.ask("ListMapRuns", executionArn=answer["executionArn"]))["mapRuns"]
        return str(runs[0]["mapRunArn"])

    run = first.run(before())
    first.run(first.states.leave())
    second = Local(tmp_path, registry=registry, objects=MemoryObjects())

    async def after() -> list[dict[str, Any]]:
        second.states.load()
        children = (await second.ask("ListExecutions", mapRunArn=run))["executions"]
        return [
            await second.ask("DescribeExecution", executionArn=child["executionArn"]) for child in children
        ]

    assert sorted(child["output"] for child in second.run(after())) == ["2", "4", "6"]


@pytest.mark.parametrize(
    "action, request_, expected",
    [
        ("DescribeExecution", {"executionArn": execution_arn("main", "none")}, "ExecutionDoesNotExist"),
        ("DescribeExecution", {"executionArn": execution_arn("main/x", "none")}, "ExecutionDoesNotExist"),
        ("StopExecution", {"executionArn": "nonsense"}, "ExecutionDoesNotExist"),
        ("RedriveExecution", {}, "ExecutionDoesNotExist"),
        ("GetExecutionHistory", {"executionArn": execution_arn("main", "none")}, "ExecutionDoesNotExist"),
        ("ListExecutions", {"stateMachineArn": machine_arn("none")}, "StateMachineDoesNotExist"),
        ("DescribeMapRun", {"mapRunArn": "arn:aws:states:us-east-1:0:mapRun:main/x:y"}, "ResourceNotFound"),
        ("SendTaskSuccess", {"taskToken": "none", "output": "1"}, "TaskDoesNotExist"),
        ("SendTaskSuccess", {"taskToken": "none", "output": "{"}, "InvalidOutput"),
        ("SendTaskFailure", {"taskToken": "none"}, "TaskDoesNotExist"),
        ("SendTaskHeartbeat", {"taskToken": "none"}, "TaskDoesNotExist"),
    ],
)
def test_what_is_not_there_has_the_error_of_aws(
    tmp_path: Path, action: str, request_: dict[str, Any], expected: str
) -> None:
    local = Local(tmp_path)
    local.registry.deploy("main", definition({"Type": "Pass"}))

    with pytest.raises(ApiError) as refused:
        local.run(local.ask(action, **request_))

    assert code(refused) == expected


def test_a_history_comes_without_data_when_that_was_asked_for(tmp_path: Path) -> None:
    local = Local(tmp_path)
    local.functions.known["f"] = lambda event: "secret"
    arn = local.registry.deploy("main", definition(invoke("f")))

    async def main() -> str:
        execution = (await local.ended(local.states.start(arn, '"secret"').arn))["executionArn"]
        answer = await local.ask("GetExecutionHistory", executionArn=execution, includeExecutionData=False)
        assert len(answer["events"]) == 7
        return json.dumps(answer)

    assert "secret" not in local.run(main())


def test_a_page_of_a_history_does_not_move_when_events_are_added(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", definition({"Type": "Pass"}, {"Type": "Wait", "Seconds": 60}))

    async def main() -> list[int]:
        entry = local.states.start(arn)
        while len(local.states.live(entry.arn).execution(entry).history) < 4:
            await local.activities.get_task("arn:none", timeout=0)
        request = {"executionArn": entry.arn, "reverseOrder": True, "maxResults": 2}
        first = await local.ask("GetExecutionHistory", **request)
        await local.states.wait(entry.arn)
        second = await local.ask("GetExecutionHistory", **request, nextToken=first["nextToken"])
        assert "nextToken" not in second
        return [event["id"] for page in (first, second) for event in page["events"]]

    assert local.run(main()) == [4, 3, 2, 1]


def test_pages_have_a_limit(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", definition({"Type": "Pass"}))

    with pytest.raises(ApiError, match="between 0 and 1000"):
        local.run(local.ask("ListExecutions", stateMachineArn=arn, maxResults=1001))


def test_an_express_machine_answers_at_once_and_is_never_a_twin(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("fast", definition({"Type": "Pass", "Output": 5}), type="EXPRESS")

    async def main() -> list[dict[str, Any]]:
        request = {"stateMachineArn": arn, "name": "same", "input": "{}"}
        return [await local.ask("StartSyncExecution", **request) for _ in range(2)]

    answers = local.run(main())

    assert [answer["output"] for answer in answers] == ["5", "5"]
    assert len({answer["executionArn"] for answer in answers}) == 2
    assert all(":express:fast:same:" in answer["executionArn"] for answer in answers)


def test_an_express_machine_has_five_minutes(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("fast", definition({"Type": "Wait", "Seconds": 600}), type="EXPRESS")

    answer = local.run(local.ask("StartSyncExecution", stateMachineArn=arn))

    assert answer["status"] == "TIMED_OUT"


def test_a_standard_machine_is_not_started_synchronously(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", definition({"Type": "Wait", "Seconds": 6000}))

    with pytest.raises(ApiError) as refused:
        local.run(local.ask("StartSyncExecution", stateMachineArn=arn))

    assert code(refused) == "StateMachineTypeNotSupported"
