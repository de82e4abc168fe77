"""Distributed maps: a child execution per item or batch, with a history of its own, in a map run.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from stepweave.engine.execution import Execution
from stepweave.engine.objects import MemoryObjects
from tests.engine.building import Handler, Lab, block, call, machine, passing

RESULT = "{% $states.result.Payload %}"


def spread(*states: tuple[str, dict[str, Any]], kind: str = "STANDARD", **fields: Any) -> dict[str, Any]:
    """A distributed Map with the states of its processor."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    return {"Type": "Map", "ItemProcessor": {"ProcessorConfig": config, **block(*states)}, **fields}


def lab_of(state: dict[str, Any], objects: Any = None, **functions: Handler) -> Lab:
    return Lab(
        {"main": machine(("before", passing(Assign={"x": 7})), ("m", state))}, functions, objects=objects
    )


def children(lab: Lab) -> list[Execution]:
    return [execution for execution in lab.engine.executions.values() if execution.map_run]


async def refuse_threes(event: Any) -> Any:
    await asyncio.sleep(1)
    if event == 3:
        raise ValueError("three")
    return event


REFUSING = ("t", call("refuse", "{% $states.input %}", Output=RESULT))


def test_children_have_histories_names_and_inputs_of_their_own() -> None:
    lab = lab_of(spread(("p", passing()), Items=["a", "b"]))
    execution = lab.run({"in": 1})
    assert execution.output == ["a", "b"]
    assert [child.input for child in children(lab)] == ["a", "b"]
    assert all(len(child.history) == 4 for child in children(lab))
    assert len({child.name for child in children(lab)}) == 2
    assert "PassStateEntered" in execution.history.kinds()  # its own
    assert len(execution.history) == 2 + 2 + 6


def test_the_machine_of_the_children_is_named_by_the_label() -> None:
    context = "{% $states.context %}"
    lab = lab_of(spread(("p", passing(Output=context)), Items=[1], Label="Rows"))
    (told,) = lab.run().output
    assert told["StateMachine"]["Id"].endswith(":stateMachine:main/Rows")
    assert told["Execution"]["Input"] == 1
    assert "Map" not in told
    (run,) = lab.engine.list_map_runs("run-1")
    assert ":mapRun:main/Rows:" in run["mapRunArn"]
    assert lab.engine.describe(children(lab)[0].name)["mapRunArn"] == run["mapRunArn"]
    assert lab.engine.list_executions() == [
        item for item in lab.engine.list_executions() if item["name"] == "run-1"
    ]


def test_children_do_not_see_the_variables_around_the_map() -> None:
    lab = lab_of(spread(("p", passing(Output="{% $exists($x) %}")), Items=[1]))
    assert lab.run().output == [False]


def test_a_selector_sees_them_and_the_item() -> None:
    item = "$states.context.Map.Item"
    selector = {
        "x": "{% $x %}",
        **{key: f"{{% {item}.{key} %}}" for key in ("Index", "Key", "Value", "Source")},
    }
    lab = lab_of(spread(("p", passing()), Items={"k": "v"}, ItemSelector=selector))
    assert lab.run().output == [{"x": 7, "Index": 0, "Key": "k", "Value": "v", "Source": "STATE_DATA"}]


def test_the_entries_of_an_object_are_items() -> None:
    assert lab_of(spread(("p", passing()), Items={"a": 1})).run().output == [{"Key": "a", "Value": 1}]


def test_batches_hold_several_items() -> None:
    batcher = {"MaxItemsPerBatch": "{% $x - 4 %}", "BatchInput": {"x": "{% $x %}"}}
    lab = lab_of(
        spread(
            ("p", passing(Output="{% $count($states.input.Items) %}")), Items=[*range(8)], ItemBatcher=batcher
        )
    )
    assert lab.run().output == [3, 3, 2]
    assert children(lab)[2].input == {"BatchInput": {"x": 7}, "Items": [6, 7]}
    assert lab.engine.describe_map_run(children(lab)[0].map_run or "")["itemCounts"]["total"] == 8


@pytest.mark.parametrize("limit,seconds", [(1, 50), (2, 30), (0, 10)])
def test_max_concurrency_limits_children_at_once(limit: int, seconds: int) -> None:
    wait = ("w", {"Type": "Wait", "Seconds": 10})
    lab = lab_of(spread(wait, Items=[*range(5)], MaxConcurrency=limit))
    lab.run()
    assert lab.clock.elapsed == seconds


def test_a_child_that_fails_fails_the_map_and_stops_the_others() -> None:
    slow = {"Type": "Wait", "Seconds": 100}
    rules = [{"Condition": "{% $states.input = 3 %}", "Next": "t"}]
    states = (
        ("c", {"Type": "Choice", "Choices": rules, "Default": "w"}),
        ("w", {**slow, "End": True}),
        REFUSING,
    )
    lab = lab_of(spread(*states, Items=[1, 2, 3]), refuse=refuse_threes)
    execution = lab.run()
    assert (execution.status, execution.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    assert [child.status for child in children(lab)] == ["ABORTED", "ABORTED", "FAILED"]
    assert lab.clock.elapsed == 1
    (run,) = lab.engine.map_runs.values()
    counts = lab.engine.describe_map_run(run.arn)["executionCounts"]
    assert (run.status, counts["aborted"], counts["failed"], counts["total"]) == ("FAILED", 2, 1, 3)


@pytest.mark.parametrize(
    "fields,status",
    [
        ({"ToleratedFailureCount": 1}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 50}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": "{% $x %}"}, "FAILED"),
        ({"ToleratedFailureCount": 0, "ToleratedFailurePercentage": 60}, "SUCCEEDED"),
        ({}, "FAILED"),
    ],
)
def test_so_many_failures_are_tolerated(fields: dict[str, Any], status: str) -> None:
    lab = lab_of(spread(REFUSING, Items=[1, 3], **fields), refuse=refuse_threes)
    execution = lab.run()
    assert execution.status == status
    if status == "SUCCEEDED":
        good, bad = execution.output
        assert (good, bad["Status"], bad["Error"]) == (1, "FAILED", "ValueError")


def test_a_failed_map_can_be_caught_and_retried() -> None:
    handlers = {
        "Retry": [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "MaxAttempts": 1}],
        "Catch": [
            {"ErrorEquals": ["States.ALL"], "Next": "after", "Output": "{% $states.errorOutput.Error %}"}
        ],
    }
    state = spread(REFUSING, Items=[3], Next="after", **handlers)
    lab = Lab({"main": machine(("m", state), ("after", passing()))}, {"refuse": refuse_threes})
    assert lab.run().output == "States.ExceedToleratedFailureThreshold"
    assert len(lab.engine.map_runs) == 2


def test_items_are_read_and_results_written() -> None:
    objects = MemoryObjects({"incoming": {"rows.csv": b"name,size\nann,3\nbob,4\n"}, "results": {}})
    state = spread(
        ("p", passing(Output="{% $states.input.name & '!' %}")),
        ItemReader={
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            "Arguments": {"Bucket": "incoming", "Key": "{% $states.input.key %}"},
        },
        ResultWriter={
            "Resource": "arn:aws:states:::s3:putObject",
            "Arguments": {"Bucket": "results", "Prefix": "run"},
        },
    )
    lab = lab_of(state, objects)
    execution = lab.run({"key": "rows.csv"})
    details = execution.output["ResultWriterDetails"]
    (run,) = lab.engine.map_runs
    assert execution.output["MapRunArn"] == run
    assert details["Bucket"] == "results"

    async def read(key: str) -> Any:
        return json.loads(await objects.read("results", key))

    manifest = asyncio.run(read(details["Key"]))
    (file,) = manifest["ResultFiles"]["SUCCEEDED"]
    assert [entry["Output"] for entry in asyncio.run(read(file["Key"]))] == ['"ann!"', '"bob!"']
    started = next(event for event in execution.history.events() if event["type"] == "MapStateStarted")
    assert started["mapStateStartedEventDetails"] == {"length": 0}  # not known before they are read


def test_an_object_that_is_not_there_fails_the_map_run() -> None:
    reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}}
    reader["Arguments"] = {"Bucket": "incoming", "Key": "missing.json"}
    execution = lab_of(spread(("p", passing()), ItemReader=reader), MemoryObjects({"incoming": {}})).run()
    assert execution.error == "States.ItemReaderFailed"
    assert execution.history.kinds()[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]


def test_an_express_child_ends_after_five_minutes() -> None:
    lab = lab_of(spread(("w", {"Type": "Wait", "Seconds": 1000}), kind="EXPRESS", Items=[1]))
    assert lab.run().error == "States.ExceedToleratedFailureThreshold"
    assert (lab.clock.elapsed, children(lab)[0].status) == (300, "TIMED_OUT")


def test_stopping_the_execution_stops_its_children() -> None:
    lab = lab_of(spread(("w", {"Type": "Wait", "Seconds": 1000}), Items=[1, 2]))

    async def main() -> None:
        lab.engine.start("main", None, "run-1")
        await asyncio.sleep(5)
        lab.engine.stop("run-1")
        await lab.engine.wait("run-1")

    lab.clock.run(main())
    assert [child.status for child in children(lab)] == ["ABORTED", "ABORTED"]
    assert [run.status for run in lab.engine.map_runs.values()] == ["ABORTED"]


def test_a_child_that_is_stopped_alone_does_not_count_as_failed() -> None:
    lab = lab_of(spread(("w", {"Type": "Wait", "Seconds": 10}), Items=[1, 2]))

    async def main() -> Execution:
        lab.engine.start("main", None, "run-1")
        await asyncio.sleep(5)
        lab.engine.stop(children(lab)[0].name)
        return await lab.engine.wait("run-1")

    execution = lab.clock.run(main())
    assert execution.status == "SUCCEEDED"
    assert [child.status for child in children(lab)] == ["ABORTED", "SUCCEEDED"]


def test_ten_thousand_children_do_not_fill_the_history_of_the_map() -> None:
    lab = lab_of(spread(("p", passing()), Items="{% [1..10000] %}", Output="done"))
    execution = lab.run()
    assert (execution.status, len(execution.history)) == ("SUCCEEDED", 10)
    assert len(children(lab)) == 10_000
