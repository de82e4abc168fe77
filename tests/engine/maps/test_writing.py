"""Results as data and as files.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from stepweave.engine.failures import StateError
from stepweave.engine.maps.results import ChildResult, results_of, transformed
from stepweave.engine.maps.writing import write_results
from stepweave.engine.objects import MemoryObjects

RUN = "11111111-2222-3333-4444-555555555555"
ARN = f"arn:aws:states:local:000000000000:mapRun:main/Rows:{RUN}"
ARGUMENTS = {"Bucket": "bucket", "Prefix": "jobs"}


def good(output: Any, **fields: Any) -> ChildResult:
    return ChildResult(status="SUCCEEDED", input={"n": 1}, output=output, **fields)


def bad(status: str = "FAILED", **fields: Any) -> ChildResult:
    return ChildResult(status=status, input=[1], error="E", cause="why", **fields)


WAITING = ChildResult(status="PENDING", input="x")
ENTRY = {
    "Cause": "why",
    "Error": "E",
    "ExecutionArn": "arn:e",
    "Input": "[1]",
    "InputDetails": {"Included": True},
    "Name": "n",
    "OutputDetails": {"Included": True},
    "RedriveCount": 0,
    "RedriveStatus": "REDRIVABLE_BY_MAP_RUN",
    "StartDate": "2025-02-04T01:49:50.099Z",
    "StateMachineArn": "arn:m",
    "Status": "FAILED",
    "StopDate": "2025-02-04T01:49:51.000Z",
}


class Written:
    """The objects of a bucket, and what was written to them."""

    def __init__(self, *children: ChildResult, **options: Any) -> None:
        self.objects = options.pop("objects", None) or MemoryObjects({"bucket": {}})
        options = {"arguments": ARGUMENTS, "map_run_arn": ARN, **options}
        self.result = asyncio.run(write_results(children, self.objects, **options))
        self.folder = self.result["ResultWriterDetails"]["Key"].removesuffix("manifest.json")

    def text(self, name: str) -> str:
        return asyncio.run(self.objects.read("bucket", self.folder + name)).decode()

    def files(self) -> list[str]:
        return [entry.key for entry in asyncio.run(self.objects.list_objects("bucket"))]

    def manifest(self) -> Any:
        return json.loads(self.text("manifest.json"))


def test_there_is_a_file_per_status_and_a_manifest_that_names_them() -> None:
    written = Written(good(1), bad(), bad("TIMED_OUT"), bad("ABORTED"), WAITING, good(2))
    assert written.result == {
        "MapRunArn": ARN,
        "ResultWriterDetails": {"Bucket": "bucket", "Key": f"jobs/{RUN}/manifest.json"},
    }
    names = ["FAILED_0.json", "PENDING_0.json", "SUCCEEDED_0.json"]
    assert written.files() == [f"jobs/{RUN}/{name}" for name in [*names, "manifest.json"]]
    assert written.manifest() == {
        "DestinationBucket": "bucket",
        "MapRunArn": ARN,
        "ResultFiles": {
            name[:-7]: [{"Key": f"jobs/{RUN}/{name}", "Size": len(written.text(name))}] for name in names
        },
    }
    assert [entry["Status"] for entry in json.loads(written.text("FAILED_0.json"))] == [
        "FAILED",
        "TIMED_OUT",
        "ABORTED",
    ]
    assert [entry["Output"] for entry in json.loads(written.text("SUCCEEDED_0.json"))] == ["1", "2"]


def test_without_children_there_is_only_the_manifest() -> None:
    written = Written()
    assert written.files() == [f"jobs/{RUN}/manifest.json"]
    assert written.manifest()["ResultFiles"] == {"FAILED": [], "PENDING": [], "SUCCEEDED": []}


@pytest.mark.parametrize(
    "prefix,folder", [("", ""), ("a", "a/"), ("a/", "a/"), ("/a//", "/a//"), ("a/b", "a/b/")]
)
def test_the_prefix_is_kept_as_it_is(prefix: str, folder: str) -> None:
    written = Written(arguments={"Bucket": "bucket", "Prefix": prefix})
    assert written.result["ResultWriterDetails"]["Key"] == f"{folder}{RUN}/manifest.json"


def test_an_entry_has_all_the_data_of_its_child() -> None:
    times = {"started_at": 1738633790.099, "stopped_at": 1738633791}
    child = bad(name="n", arn="arn:e", machine_arn="arn:m", **times)
    assert json.loads(Written(child).text("FAILED_0.json")) == [ENTRY]
    redriven = good({"a": [1]}, redrive_count=2, redriven_at=1738633790.099, **times)
    (entry,) = json.loads(Written(redriven).text("SUCCEEDED_0.json"))
    assert entry["Output"] == '{"a":[1]}'
    assert (entry["RedriveCount"], entry["RedriveDate"]) == (2, "2025-02-04T01:49:50.099Z")
    assert entry["RedriveStatus"] == "NOT_REDRIVABLE"
    assert entry["RedriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"


def test_inputs_and_outputs_are_json_texts() -> None:
    (entry,) = json.loads(Written(good("höh")).text("SUCCEEDED_0.json"))
    assert (entry["Input"], entry["Output"]) == ('{"n":1}', '"höh"')
    assert json.loads(Written(WAITING).text("PENDING_0.json")) == [
        {"Input": '"x"', "InputDetails": {"Included": True}, "Status": "PENDING"}
    ]


def test_an_express_child_says_nothing_about_redrives() -> None:
    for child in (good(1, express=True), bad(express=True)):
        written = Written(child)
        (entry,) = json.loads(
            written.text(f"{'SUCCEEDED' if child.status == 'SUCCEEDED' else 'FAILED'}_0.json")
        )
        assert not [field for field in entry if field.startswith("RedriveStatus")]


CHILDREN = (good([1, 2]), good({"a": 3}), bad())


@pytest.mark.parametrize(
    "transformation,values",
    [("COMPACT", [[1, 2], {"a": 3}]), ("FLATTEN", [1, 2, {"a": 3}])],
)
def test_a_writer_config_forms_the_files(transformation: str, values: list[Any]) -> None:
    written = Written(*CHILDREN, config={"Transformation": transformation})
    assert json.loads(written.text("SUCCEEDED_0.json")) == values
    assert json.loads(written.text("FAILED_0.json"))[0]["Status"] == "FAILED"
    lines = Written(*CHILDREN, config={"Transformation": transformation, "OutputType": "JSONL"})
    assert [json.loads(line) for line in lines.text("SUCCEEDED_0.jsonl").splitlines()] == values
    assert lines.text("SUCCEEDED_0.jsonl").endswith("\n")


@pytest.mark.parametrize("output_type,separator", [("JSON", ","), ("JSONL", "\n")])
def test_a_file_that_grows_too_large_goes_on_in_the_next(output_type: str, separator: str) -> None:
    config = {"Transformation": "COMPACT", "OutputType": output_type}
    written = Written(*(good("x" * 10) for _ in range(7)), config=config, file_bytes=40)
    files = written.manifest()["ResultFiles"]["SUCCEEDED"]
    ending = output_type.lower()
    assert [file["Key"] for file in files] == [f"jobs/{RUN}/SUCCEEDED_{n}.{ending}" for n in range(3)]
    texts = [written.text(f"SUCCEEDED_{number}.{ending}") for number in range(3)]
    assert [file["Size"] for file in files] == [len(text) for text in texts]
    assert max(map(len, texts)) <= 40
    assert [text.strip("[]\n").split(separator) for text in texts] == [
        ['"xxxxxxxxxx"'] * count for count in (3, 3, 1)
    ]


def test_a_value_larger_than_a_file_has_one_of_its_own() -> None:
    written = Written(
        good("x"), good("y" * 99), good("z"), config={"Transformation": "COMPACT"}, file_bytes=20
    )
    assert [json.loads(written.text(f"SUCCEEDED_{number}.json")) for number in range(3)] == [
        ["x"],
        ["y" * 99],
        ["z"],
    ]


def test_only_empty_outputs_make_an_empty_file() -> None:
    assert Written(good([]), config={"Transformation": "FLATTEN"}).text("SUCCEEDED_0.json") == "[]"
    config = {"Transformation": "FLATTEN", "OutputType": "JSONL"}
    assert Written(good([]), config=config).text("SUCCEEDED_0.jsonl") == ""


def test_a_redrive_writes_what_is_new_and_names_what_was() -> None:
    first = Written(good(1), bad(), WAITING)
    before = first.manifest()["ResultFiles"]["SUCCEEDED"]
    again = Written(good(1), good(2, attempt=1), bad(attempt=1), redrive=1, objects=first.objects)
    assert again.folder == f"jobs/{RUN}/Redrive-1/"
    assert [entry["Output"] for entry in json.loads(again.text("SUCCEEDED_0.json"))] == ["2"]
    names = again.manifest()["ResultFiles"]
    assert [file["Key"] for file in names["SUCCEEDED"]] == [
        before[0]["Key"],
        f"{again.folder}SUCCEEDED_0.json",
    ]
    assert (len(names["FAILED"]), names["PENDING"]) == (1, [])
    last = Written(good(1), good(2, attempt=1), good(3, attempt=2), redrive=2, objects=first.objects)
    assert len(last.manifest()["ResultFiles"]["SUCCEEDED"]) == 3
    assert len([name for name in last.files() if "SUCCEEDED" in name]) == 3


def test_a_redrive_after_nothing_was_written_writes_everything() -> None:
    written = Written(good(1), good(2, attempt=1), redrive=1)
    assert [entry["Output"] for entry in json.loads(written.text("SUCCEEDED_0.json"))] == ["1", "2"]


def test_files_have_the_time_that_is_given() -> None:
    written = Written(good(1), modified=42)
    assert {entry.modified for entry in asyncio.run(written.objects.list_objects("bucket"))} == {42}


@pytest.mark.parametrize(
    "options,cause",
    [
        ({"arguments": None}, "The ResultWriter's Arguments need Bucket, a string."),
        ({"arguments": {"Bucket": "bucket", "Prefix": 1}}, "The ResultWriter's Arguments need Prefix, a string."),
        ({"arguments": {"Bucket": "gone", "Prefix": "p"}}, f"S3://gone/p/{RUN}/ cannot be written: The"),
        ({"arguments": {"Bucket": "bucket", "Prefix": "\ud800"}}, "S3://bucket/"),
        ({"config": []}, "WriterConfig must be an object."),
        ({"config": {"Transformation": "SQUASH"}}, "Transformation must be one of NONE, COMPACT, FLATTEN, got 'SQ"),
        ({"config": {"OutputType": "CSV"}}, "OutputType must be one of JSON, JSONL, got 'CSV'."),
    ],
)  # fmt: skip
def test_what_cannot_be_written_says_why(options: dict[str, Any], cause: str) -> None:
    with pytest.raises(StateError) as caught:
        Written(**options)
    assert caught.value.error == "States.ResultWriterFailed"
    assert (caught.value.cause or "").startswith(cause)


def test_without_a_writer_the_result_is_the_outputs() -> None:
    assert results_of([good([1]), bad(), good(None)]) == [
        [1],
        {"Status": "FAILED", "Error": "E", "Cause": "why"},
        None,
    ]


@pytest.mark.parametrize(
    "config,values",
    [
        ({"Transformation": "COMPACT"}, [[1, 2], {"a": 3}]),
        ({"Transformation": "FLATTEN"}, [1, 2, {"a": 3}]),
        ({"OutputType": "JSON"}, [[1, 2], {"a": 3}]),
    ],
)
def test_a_config_alone_forms_the_result(config: dict[str, Any], values: list[Any]) -> None:
    *succeeded, failed = transformed(CHILDREN, config)
    assert succeeded == values
    assert (failed["Status"], failed["Input"], failed["RedriveStatus"]) == (
        "FAILED",
        "[1]",
        "REDRIVABLE_BY_MAP_RUN",
    )


def test_a_config_alone_may_give_all_data_or_lines() -> None:
    assert [entry["Output"] for entry in transformed([good(1), good("x")], {"Transformation": "NONE"})] == [
        "1",
        '"x"',
    ]
    assert transformed([good([1, 2])], {"Transformation": "FLATTEN", "OutputType": "JSONL"}) == "1\n2\n"
