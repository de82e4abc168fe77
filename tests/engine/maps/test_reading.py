"""Items of JSON, JSON Lines, listings and manifests.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest

from stepweave.engine.failures import StateError
from stepweave.engine.maps.items import Item
from stepweave.engine.maps.reading import read_items
from stepweave.engine.objects import MemoryObjects
from tests.engine.maps.reading_objects import BUCKET, LIST, found, items_in, refusal, values_in

JSON = {"InputType": "JSON"}
JSONL = {"InputType": "JSONL"}
CSV = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
ATHENA = {"ManifestType": "ATHENA_DATA"}
FLATTEN = {"Transformation": "LOAD_AND_FLATTEN"}


def failure(arguments: Any, resource: str = "s3:getObject", **config: Any) -> str:
    with pytest.raises(StateError) as caught:
        asyncio.run(read_items(resource, arguments, config, MemoryObjects({BUCKET: {"k": "[]"}})))
    assert caught.value.error == "States.ItemReaderFailed"
    return caught.value.cause or ""


def test_the_items_of_an_array_say_where_they_are_from() -> None:
    assert items_in('[1, {"a": null}, "x"]', **JSON) == [
        Item(1, "S3://bucket/file"),
        Item({"a": None}, "S3://bucket/file"),
        Item("x", "S3://bucket/file"),
    ]


def test_the_entries_of_an_object_have_keys() -> None:
    (item,) = items_in('{"k": [1]}', **JSON)
    assert item == Item([1], "S3://bucket/file", "k")
    assert item.input == {"Key": "k", "Value": [1]}
    assert item.context(4) == {"Index": 4, "Value": [1], "Source": "S3://bucket/file", "Key": "k"}


@pytest.mark.parametrize(
    "pointer,values",
    [
        ("", [1]),
        ("/a", [1]),
        ("/a/b", [2, 3]),
        ("/l/1", [5]),
        ("/x~1y/m~0n", [6]),
        ("/", [7]),
        ("/n/o", {"p": 8}),
    ],
)
def test_a_pointer_finds_the_items_inside(pointer: str, values: Any) -> None:
    document: dict[str, Any] = {
        "a": {"b": [2, 3]}, "l": [[4], [5]], "x/y": {"m~n": [6]}, "": [7], "n": {"o": {"p": 8}},
    }  # fmt: skip
    if pointer in ("", "/a"):
        document = {"a": [1]} if pointer else [1]  # type: ignore[assignment]
    items = items_in(json.dumps(document), **JSON, ItemsPointer=pointer)
    assert [item.value for item in items] == list(values.values() if isinstance(values, dict) else values)


def test_a_pointer_that_finds_nothing_names_itself() -> None:
    for pointer in ("/b", "/a/0", "/l/7", "/l/x"):
        assert f"ItemsPointer {pointer!r} finds nothing" in refusal(
            '{"a": 1, "l": []}', **JSON, ItemsPointer=pointer
        )
    assert "is not a JSON pointer" in refusal("[]", **JSON, ItemsPointer="a/b")


@pytest.mark.parametrize("content", ["5", '"text"', "null", "true"])
def test_what_has_no_items_fails_as_recorded(content: str) -> None:
    assert refusal(content, **JSON) == "Attempting to map over non-iterable node."


@pytest.mark.parametrize(
    "content,reason",
    [
        ("[1,", "it is not JSON"),
        ("[NaN]", "NaN is no JSON value"),
        ("[1e400]", "1e400 is beyond the numbers"),
        ("", "it is not JSON"),
        (b"[\xff]", "it is not UTF-8"),
        ("[" * 200_000, "it is not JSON"),
    ],
)
def test_what_is_not_json_says_why(content: bytes | str, reason: str) -> None:
    assert reason in refusal(content, **JSON)
    assert "S3://bucket/file cannot be read" in refusal(content, **JSON)


def test_a_byte_order_mark_is_no_part_of_json() -> None:
    assert values_in(b"\xef\xbb\xbf[1]", **JSON) == [1]
    assert values_in(b"\xef\xbb\xbf1\n2", **JSONL) == [1, 2]


def test_every_line_is_an_item_and_blank_ones_are_none() -> None:
    assert values_in('{"a": 1}\r\n\n  \n[2]\n"x"\nnull', **JSONL) == [{"a": 1}, [2], "x", None]


def test_a_line_that_is_not_json_has_its_number() -> None:
    assert refusal("1\n\n{", **JSONL).startswith("S3://bucket/file cannot be read: line 3: it is not JSON")


def test_an_item_has_at_most_8_mib() -> None:
    most = "x" * (8 * 1024 * 1024 - 2)
    assert len(values_in(f'"{most}"', **JSONL)) == len(values_in(f'["{most}"]', **JSON)) == 1
    assert "has more than 8388608 bytes" in refusal(f'"{most}x"', **JSONL)
    assert "has more than 8388608 bytes" in refusal(f'["{most}x"]', **JSON)


@pytest.mark.parametrize("config,content", [(JSON, b"[1]"), (JSONL, b"1\n"), (CSV, b"a\n1\n")])
def test_gzip_is_told_by_the_ending(config: dict[str, Any], content: bytes) -> None:
    for ending in (".gz", ".gzip"):
        assert len(values_in(gzip.compress(content), f"file{ending}", **config)) == 1
    assert "it is not gzip" in refusal(content, "file.gz", **config)
    assert "it is not gzip" in refusal(gzip.compress(content)[:-5], "file.gz", **config)


@pytest.mark.parametrize("limit,count", [(2, 2), (3, 3), (100_000_000, 3), (10**12, 3), (0, 3), (None, 3)])
def test_so_many_items_are_read(limit: int | None, count: int) -> None:
    assert len(values_in("[1, 2, 3]", **JSON, MaxItems=limit)) == count
    assert len(values_in("a\n1\n2\n3", **CSV, MaxItems=limit)) == count


def test_a_limit_below_0_fails_as_recorded() -> None:
    assert refusal("[1]", **JSON, MaxItems=-1) == "field MaxItems must be positive"


def test_nothing_is_parsed_behind_the_limit() -> None:
    assert values_in("1\n2\n{", **JSONL, MaxItems=2) == [1, 2]
    lines = found({"a": "1\n2", "b": "{"}, {}, LIST, **JSONL, **FLATTEN, MaxItems=2)
    assert [item.value for item in lines] == [1, 2]


@pytest.mark.parametrize(
    "config,cause",
    [
        ({}, "ReaderConfig needs InputType to read an object."),
        ({"InputType": "XML"}, "InputType must be one of CSV, JSON, JSONL, PARQUET, MANIFEST, got 'XML'."),
        ({"InputType": 1}, "InputType must be a string, got 1."),
        ({**CSV, "CSVDelimiter": ","}, "CSVDelimiter must be one of COMMA, PIPE, SEMICOLON, SPACE, TAB, got ','."),
        (
            {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"},
            "CSVHeaders must be an array of strings when CSVHeaderLocation is GIVEN.",
        ),
        (FLATTEN, "InputType must be CSV, JSON, JSONL or PARQUET when Transformation is LOAD_AND_FLATTEN."),
        ({**ATHENA, **JSON}, "InputType must be CSV, JSONL or PARQUET when ManifestType is ATHENA_DATA."),
        ({**CSV, "ManifestType": "S3_INVENTORY"}, "InputType cannot be specified when ManifestType is S3_INVENTORY."),
    ],
)  # fmt: skip
def test_a_config_that_does_not_hold_together_says_what(config: dict[str, Any], cause: str) -> None:
    assert failure({"Bucket": BUCKET, "Key": "k"}, **config) == cause


def test_arguments_are_checked() -> None:
    assert failure(None) == "The ItemReader's Arguments need Bucket."
    assert failure({"Bucket": ""}) == "The ItemReader's Arguments need Bucket."
    assert failure({"Bucket": BUCKET}) == "The ItemReader's Arguments need Key."
    assert failure({"Bucket": BUCKET, "Key": 5}) == "The ItemReader's Key must be a string, got 5."
    assert (
        failure({"Bucket": BUCKET, "Prefix": [1]}, LIST)
        == "The ItemReader's Prefix must be a string, got [1]."
    )
    assert failure({"Bucket": BUCKET, "Key": "k"}, "s3:headObject", **JSON).endswith("not s3:headObject.")


def test_an_absent_object_or_bucket_is_named() -> None:
    gone = failure({"Bucket": BUCKET, "Key": "gone"}, **JSON)
    assert gone.startswith("S3://bucket/gone cannot be read: The specified key does not exist.")
    other = failure({"Bucket": "other", "Key": "k"}, **JSON)
    assert other.startswith("S3://other/k cannot be read: The specified bucket does not exist.")
    assert failure({"Bucket": "other"}, LIST).startswith("S3://other cannot be read:")


def test_a_version_is_read_where_it_is_the_only_one() -> None:
    assert [item.value for item in found({"k": "[1]"}, {"Key": "k", "VersionId": "null"}, **JSON)] == [1]
    assert "version does not exist" in failure({"Bucket": BUCKET, "Key": "k", "VersionId": "v1"}, **JSON)
    cause = failure({"Bucket": BUCKET, "Key": "k", "VersionId": "null"}, InputType="PARQUET")
    assert cause == "VersionId is not supported for the InputType PARQUET."


def test_a_listing_gives_what_is_known_of_each_object() -> None:
    items = found({"in/b": "12", "in/a": "", "out/c": "x"}, {"Prefix": "in/"}, LIST)
    assert [item.value["Key"] for item in items] == ["in/a", "in/b"]
    assert items[1] == Item(
        {
            "Etag": '"c20ad4d76fe97759aa27a0c99bff6710"',
            "Key": "in/b",
            "LastModified": 0,
            "Size": 2,
            "StorageClass": "STANDARD",
        },
        "S3://bucket",
    )
    assert len(found({"a": "", "b": ""}, {}, LIST)) == 2
    assert len(found({"a": "", "b": ""}, {}, LIST, MaxItems=1)) == 1


@pytest.mark.parametrize(
    "config,one,two,values",
    [
        (JSON, "[1, 2]", '{"k": 3}', [1, 2, 3]),
        (JSONL, "1\n2", "3", [1, 2, 3]),
        (CSV, "a\n1\n2", "b\n3", [{"a": "1"}, {"a": "2"}, {"b": "3"}]),
    ],
)
def test_listed_objects_are_loaded_one_after_the_other(
    config: dict[str, Any], one: str, two: str, values: list[Any]
) -> None:
    contents: dict[str, bytes | str] = {
        "in/": "",
        "in/1": one,
        "in/2.gz": gzip.compress(two.encode()),
        "x": "{",
    }
    items = found(contents, {"Prefix": "in/"}, LIST, **config, **FLATTEN)
    assert [item.value for item in items] == values
    assert [item.source for item in items] == ["S3://bucket/in/1"] * 2 + ["S3://bucket/in/2.gz"]


def test_an_athena_manifest_names_files_of_rows() -> None:
    manifest = "s3://bucket/out/1.gz\n\ns3://bucket/out/2.gz\n"
    contents: dict[str, bytes | str] = {
        "m.csv": manifest,
        "out/1.gz": gzip.compress(b'{"a": 1}\n{"a": 2}\n'),
        "out/2.gz": gzip.compress(b'{"a": 3}\n'),
    }
    items = found(contents, {"Key": "m.csv"}, **JSONL, **ATHENA)
    assert [item.value["a"] for item in items] == [1, 2, 3]
    assert items[2].source == "S3://bucket/out/2.gz"
    assert "names no S3 object: 'out/1'" in refusal("out/1", **JSONL, **ATHENA)
    assert "The specified key does not exist" in refusal("s3://bucket/gone", **JSONL, **ATHENA)


def test_an_inventory_names_its_files_and_columns() -> None:
    manifest = {
        "destinationBucket": "arn:aws:s3:::bucket",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{"key": "inv/1.csv.gz", "size": 1}, {"key": "inv/2.csv.gz"}],
    }
    contents: dict[str, bytes | str] = {
        "manifest.json": json.dumps(manifest),
        "inv/1.csv.gz": gzip.compress(b'"b","a.txt","3"\n'),
        "inv/2.csv.gz": gzip.compress(b'"b","c,d.txt","4"\n'),
    }
    for config in ({"InputType": "MANIFEST"}, {"ManifestType": "S3_INVENTORY"}):
        items = found(contents, {"Key": "manifest.json"}, **config)
        assert [item.value for item in items] == [
            {"Bucket": "b", "Key": "a.txt", "Size": "3"},
            {"Bucket": "b", "Key": "c,d.txt", "Size": "4"},
        ]


@pytest.mark.parametrize(
    "manifest,reason",
    [
        ("{", "it is not the manifest of an S3 inventory"),
        ("[]", "has no fileFormat"),
        ('{"fileFormat": "ORC"}', "the S3 inventory is ORC, only CSV is read"),
        ('{"fileFormat": "CSV"}', "has no fileSchema"),
        ('{"fileFormat": "CSV", "fileSchema": "Key", "destinationBucket": "b"}', "has no files"),
        ('{"fileFormat": "CSV", "fileSchema": "Key", "destinationBucket": "b", "files": [1]}', "has no key"),
    ],
)
def test_a_manifest_that_is_none_says_why(manifest: str, reason: str) -> None:
    assert reason in refusal(manifest, InputType="MANIFEST")
