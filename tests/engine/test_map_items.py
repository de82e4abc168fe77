"""Items of distributed maps, from a bucket to the inputs of the children, through the engine."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from stepweave.engine.execution import Execution
from stepweave.engine.object_folder import FolderObjects
from stepweave.engine.objects import MemoryObjects
from tests.engine.building import Lab, block, machine, passing

GET = "arn:aws:states:::s3:getObject"
LIST = "arn:aws:states:::s3:listObjectsV2"
ROWS = [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}, {"a": "3", "b": ""}]
INPUT = {"place": {"bucket": "things", "key": "rows"}, "most": 100, "kind": "JSON"}


def parquet(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def read_by(reader: dict[str, Any], contents: dict[str, bytes | str], **fields: Any) -> Execution:
    """A run of a map that reads its items from the bucket ``things``."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor = {"ProcessorConfig": config, **block(("each", passing()))}
    state = {"Type": "Map", "ItemProcessor": processor, "ItemReader": reader, **fields}
    before = passing(Assign={"kind": "{% $states.input.kind %}", "most": "{% $states.input.most %}"})
    lab = Lab(
        {"main": machine(("before", before), ("m", state), ("after", passing()))},
        objects=MemoryObjects({"things": contents}),
    )
    return lab.run(INPUT)


def get(**config: Any) -> dict[str, Any]:
    """An ItemReader of one object, whose place is in the input."""
    arguments = {"Bucket": "{% $states.input.place.bucket %}", "Key": "{% $states.input.place.key %}"}
    return {"Resource": GET, "Arguments": arguments, "ReaderConfig": config}


@pytest.mark.parametrize(
    "config,content,items",
    [
        ({"InputType": "JSON"}, json.dumps(ROWS), ROWS),
        ({"InputType": "JSON", "ItemsPointer": "/of/rows"}, json.dumps({"of": {"rows": ROWS}}), ROWS),
        ({"InputType": "JSON"}, '{"k": 1}', [{"Key": "k", "Value": 1}]),
        ({"InputType": "JSONL"}, "".join(json.dumps(row) + "\n" for row in ROWS), ROWS),
        ({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, "a,b\n1,x\n2,y\n3\n", ROWS),
        (
            {
                "InputType": "CSV",
                "CSVHeaderLocation": "GIVEN",
                "CSVHeaders": ["a", "b"],
                "CSVDelimiter": "PIPE",
            },
            "1|x\n2|y\n3|\n",
            ROWS,
        ),
        ({"InputType": "PARQUET"}, parquet(ROWS), ROWS),
    ],
)
def test_each_type_of_file_is_read(config: dict[str, Any], content: bytes | str, items: list[Any]) -> None:
    assert read_by(get(**config), {"rows": content}).output == items


def test_manifests_are_read() -> None:
    contents: dict[str, bytes | str] = {"rows": "s3://things/1.gz", "1.gz": gzip.compress(b"a,b\n1,x\n")}
    athena = get(InputType="CSV", CSVHeaderLocation="FIRST_ROW", ManifestType="ATHENA_DATA")
    assert read_by(athena, contents).output == ROWS[:1]
    inventory = {"destinationBucket": "things", "fileFormat": "CSV", "fileSchema": "Bucket, Key"}
    contents = {"rows": json.dumps({**inventory, "files": [{"key": "1.csv"}]}), "1.csv": '"b","k"\n'}
    assert read_by(get(InputType="MANIFEST"), contents).output == [{"Bucket": "b", "Key": "k"}]


def test_a_listing_is_read_and_its_objects_may_be_loaded() -> None:
    contents: dict[str, bytes | str] = {"in/1": "[1, 2]", "in/2": "[3]", "other": "{"}
    reader = {"Resource": LIST, "Arguments": {"Bucket": "{% $states.input.place.bucket %}", "Prefix": "in/"}}
    assert [item["Key"] for item in read_by(reader, contents).output] == ["in/1", "in/2"]
    loaded = {**reader, "ReaderConfig": {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"}}
    assert read_by(loaded, contents).output == [1, 2, 3]


def test_a_config_may_be_computed_but_not_the_names_of_columns() -> None:
    limited = get(InputType="JSON", MaxItems="{% $most - 98 %}", ItemsPointer="{% '/' & $kind %}")
    assert read_by(limited, {"rows": '{"JSON": [1, 2, 3]}'}).output == [1, 2]
    headers = get(InputType="CSV", CSVHeaderLocation="GIVEN", CSVHeaders=["{% $x %}"], MaxItems="{% 1 %}")
    assert read_by(headers, {"rows": "1\n2"}).output == [{"{% $x %}": "1"}]


def test_a_selector_sees_value_index_and_source_and_batches_follow() -> None:
    item = "$states.context.Map.Item"
    execution = read_by(
        get(InputType="JSONL"),
        {"rows": '{"n": 5}\n{"n": 6}\n{"n": 7}'},
        ItemSelector={
            "n": f"{{% {item}.Value.n %}}",
            "i": f"{{% {item}.Index %}}",
            "s": f"{{% {item}.Source %}}",
        },
        ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"kind": "{% $kind %}"}},
    )
    source = "S3://things/rows"
    assert execution.output == [
        {
            "BatchInput": {"kind": "JSON"},
            "Items": [{"n": 5, "i": 0, "s": source}, {"n": 6, "i": 1, "s": source}],
        },
        {"BatchInput": {"kind": "JSON"}, "Items": [{"n": 7, "i": 2, "s": source}]},
    ]


@pytest.mark.parametrize(
    "reader,contents,cause",
    [
        (get(InputType="JSON"), {}, "S3://things/rows cannot be read: The specified key does not exist."),
        (get(InputType="JSON"), {"rows": "{"}, "S3://things/rows cannot be read: it is not JSON"),
        (get(InputType="JSON"), {"rows": "[1e999]"}, "S3://things/rows cannot be read: it is not JSON"),
        (get(InputType="JSON", MaxItems="{% -1 %}"), {"rows": "[]"}, "field MaxItems must be positive"),
        (
            get(InputType="PARQUET"),
            {"rows": "x"},
            "S3://things/rows cannot be read: it cannot be read as Parquet",
        ),
    ],
)
def test_what_cannot_be_read_fails_the_map(
    reader: dict[str, Any], contents: dict[str, bytes | str], cause: str
) -> None:
    execution = read_by(reader, contents)
    assert (execution.status, execution.error) == ("FAILED", "States.ItemReaderFailed")
    assert (execution.cause or "").startswith(cause)


def test_a_reader_that_failed_can_be_caught() -> None:
    output = "{% $states.errorOutput.Error %}"
    catch = [{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "after", "Output": output}]
    execution = read_by(get(InputType="JSON"), {}, Catch=catch)
    assert (execution.status, execution.output) == ("SUCCEEDED", "States.ItemReaderFailed")


def test_an_item_that_is_larger_than_an_input_fails_the_map() -> None:
    execution = read_by(get(InputType="JSONL"), {"rows": json.dumps("x" * 300_000)})
    assert (execution.status, execution.error) == ("FAILED", "States.DataLimitExceeded")
    small = read_by(
        get(InputType="JSONL"), {"rows": json.dumps("x" * 300_000)}, ItemSelector={"n": "{% 1 %}"}
    )
    assert small.output == [{"n": 1}]


def test_a_folder_is_read_and_written(tmp_path: Any) -> None:
    for name in ("things", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "things" / "rows").write_text("[1, 2]")
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    state = {
        "Type": "Map",
        "ItemProcessor": {"ProcessorConfig": config, **block(("each", passing()))},
        "ItemReader": get(InputType="JSON"),
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Arguments": {"Bucket": "results", "Prefix": "{% $states.input.kind %}"},
            "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"},
        },
    }
    lab = Lab({"main": machine(("m", state))}, objects=FolderObjects(tmp_path))
    manifest = lab.run(INPUT).output["ResultWriterDetails"]["Key"]
    folder = (tmp_path / "results" / manifest).parent
    assert folder.parent.name == "JSON"
    assert (folder / "SUCCEEDED_0.jsonl").read_text() == "1\n2\n"
    assert sorted(path.name for path in folder.iterdir()) == ["SUCCEEDED_0.jsonl", "manifest.json"]
