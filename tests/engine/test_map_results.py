"""Results of distributed maps, from the children to files, through the engine."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from stepweave.engine.execution import Execution
from stepweave.engine.objects import MemoryObjects
from tests.engine.building import Lab, block, call, machine

RESULT = "{% $states.result.Payload %}"
WRITER = {
    "Resource": "arn:aws:states:::s3:putObject",
    "Arguments": {"Bucket": "results", "Prefix": "{% $states.input.day %}"},
}


class Results:
    """A machine that maps five numbers, one after the other, and writes what came of them."""

    def __init__(self, *failing: int, writer: Any = WRITER, kind: str = "STANDARD", **fields: Any) -> None:
        self.failing = set(failing)
        self.objects = MemoryObjects({"results": {}})
        config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
        work = call("work", "{% $states.input %}", Output=RESULT)
        state = {
            "Type": "Map",
            "Items": "{% [1..5] %}",
            "MaxConcurrency": 1,
            "ItemProcessor": {"ProcessorConfig": config, **block(("t", work))},
            "ResultWriter": writer,
            **fields,
        }
        self.lab = Lab({"main": machine(("m", state))}, {"work": self._work}, objects=self.objects)

    async def _work(self, event: Any) -> Any:
        if event in self.failing:
            raise ValueError(f"item {event}")
        return [event, event * 10]

    def run(self) -> Execution:
        return self.lab.run({"day": "monday"})

    def redrive(self) -> Execution:
        async def again() -> Execution:
            return await self.lab.engine.wait(self.lab.engine.redrive("run-1").name)

        self.failing.clear()
        return self.lab.clock.run(again())

    @property
    def folder(self) -> str:
        """Where the files of the only map run are."""
        (run,) = self.lab.engine.map_runs.values()
        return f"monday/{run.id}/"

    def read(self, name: str) -> Any:
        return json.loads(asyncio.run(self.objects.read("results", name)))

    def manifest(self, folder: str = "") -> dict[str, list[str]]:
        """The files that a manifest names, by status."""
        files = self.read(f"{self.folder}{folder}manifest.json")["ResultFiles"]
        return {
            status: [file["Key"].removeprefix(self.folder) for file in named]
            for status, named in files.items()
        }

    def inputs(self, name: str) -> list[int]:
        """The inputs of the children in a file."""
        return [json.loads(entry["Input"]) for entry in self.read(self.folder + name)]


def test_children_that_succeed_and_that_fail_are_in_files_of_their_own() -> None:
    results = Results(2, ToleratedFailureCount=1)
    execution = results.run()
    (arn,) = results.lab.engine.map_runs
    assert execution.output == {
        "MapRunArn": arn,
        "ResultWriterDetails": {"Bucket": "results", "Key": f"{results.folder}manifest.json"},
    }
    assert results.manifest() == {
        "FAILED": ["FAILED_0.json"],
        "PENDING": [],
        "SUCCEEDED": ["SUCCEEDED_0.json"],
    }
    assert (results.inputs("SUCCEEDED_0.json"), results.inputs("FAILED_0.json")) == ([1, 3, 4, 5], [2])
    (failed,) = results.read(f"{results.folder}FAILED_0.json")
    assert (failed["Error"], failed["Status"], failed["RedriveStatus"]) == (
        "ValueError", "FAILED", "REDRIVABLE_BY_MAP_RUN",
    )  # fmt: skip
    child = results.lab.engine.describe(failed["Name"])
    assert (failed["ExecutionArn"], failed["StateMachineArn"]) == (
        child["executionArn"],
        child["stateMachineArn"],
    )
    assert failed["StopDate"] >= failed["StartDate"] >= "19"


def test_a_map_run_that_fails_writes_what_came_of_it_before() -> None:
    results = Results(3)
    execution = results.run()
    assert execution.error == "States.ExceedToleratedFailureThreshold"
    names = ("FAILED_0.json", "PENDING_0.json", "SUCCEEDED_0.json")
    assert results.manifest() == {name[:-7]: [name] for name in names}
    assert [results.inputs(name) for name in names] == [[3], [4, 5], [1, 2]]


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_a_redrive_writes_to_a_folder_of_its_own_and_names_all_successes(kind: str) -> None:
    results = Results(3, kind=kind)
    results.run()
    execution = results.redrive()
    assert execution.status == "SUCCEEDED"
    assert execution.output["ResultWriterDetails"]["Key"] == f"{results.folder}Redrive-1/manifest.json"
    assert results.manifest("Redrive-1/") == {
        "FAILED": [],
        "PENDING": [],
        "SUCCEEDED": ["SUCCEEDED_0.json", "Redrive-1/SUCCEEDED_0.json"],
    }
    assert results.inputs("Redrive-1/SUCCEEDED_0.json") == [3, 4, 5]


def test_a_config_forms_what_is_written() -> None:
    config = {"Transformation": "FLATTEN", "OutputType": "JSON"}
    results = Results(writer={**WRITER, "WriterConfig": config})
    results.run()
    assert results.read(f"{results.folder}SUCCEEDED_0.json") == [1, 10, 2, 20, 3, 30, 4, 40, 5, 50]


def test_a_config_alone_forms_the_result() -> None:
    assert Results(writer={"WriterConfig": {"Transformation": "FLATTEN"}}).run().output[:3] == [1, 10, 2]
    assert Results(writer={"WriterConfig": {"Transformation": "COMPACT"}}).run().output[:2] == [
        [1, 10],
        [2, 20],
    ]
    lines = (
        Results(writer={"WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"}}).run().output
    )
    assert lines.splitlines()[:2] == ["[1,10]", "[2,20]"]


@pytest.mark.parametrize("bucket", ["gone", "{% 'no bucket' %}"])
def test_a_map_whose_results_cannot_be_written_fails(bucket: str) -> None:
    writer = {**WRITER, "Arguments": {"Bucket": bucket, "Prefix": "p"}}
    execution = Results(writer=writer).run()
    assert execution.error == "States.ResultWriterFailed"
    assert "S3://" in (execution.cause or "")
    assert Results(3, writer=writer).run().error == "States.ExceedToleratedFailureThreshold"
