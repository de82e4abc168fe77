"""Maps: processors, readers, batchers, writers, labels.

What Step Functions accepts in an inline Map was measured by floci
(https://github.com/floci-io/floci/pull/2786), headers of tables by cdk-preflight
(https://github.com/badmintoncryer/cdk-preflight, rules/stepfunctions, 2026-09-05).
"""

from typing import Any

import pytest

from stepweave.validation.definition import validate
from tests.validation.definitions import INNER, distributed, found, machine, mapped, of_state, rejected

GET, LIST, PUT = (f"arn:aws:states:::s3:{call}" for call in ("getObject", "listObjectsV2", "putObject"))
TARGET = {"Bucket": "b", "Prefix": "p"}


def reading(config: dict[str, Any], resource: str = GET) -> dict[str, Any]:
    """A Distributed Map with a reader."""
    reader = {"Resource": resource, "Arguments": {"Bucket": "b", "Key": "k"}, "ReaderConfig": config}
    return distributed(ItemReader=reader)


@pytest.mark.parametrize("field", ["ItemProcessor", "Iterator"])
def test_the_processor_has_two_names(field: str) -> None:
    assert of_state({"Type": "Map", field: INNER}) == []


def test_a_map_has_exactly_one_processor() -> None:
    assert of_state({"Type": "Map"}) == ["missing-field"]
    assert of_state({"Type": "Map", "ItemProcessor": INNER, "Iterator": INNER}) == ["map-processor"]


def test_mistakes_in_a_processor_are_found_by_either_name() -> None:
    inner = {"StartAt": "in", "States": {"in": {"Type": "Pass", "Speed": 1, "End": True}}}
    for field in ("ItemProcessor", "Iterator"):
        assert found(machine({"Type": "Map", field: inner})) == [("unknown-field", "a[*]/in")]


@pytest.mark.parametrize(
    "state,codes",
    [
        (mapped("INLINE"), []),
        (mapped("DISTRIBUTED", "STANDARD"), []),
        (mapped("DISTRIBUTED", "EXPRESS"), []),
        (mapped("DISTRIBUTED"), ["map-mode"]),
        (mapped("INLINE", "STANDARD"), ["map-mode"]),
        (mapped("SIDEWAYS"), ["field-type"]),
        (mapped("DISTRIBUTED", "QUICK"), ["field-type"]),
        ({"Type": "Map", "ItemProcessor": {**INNER, "ProcessorConfig": {}}}, []),
        ({"Type": "Map", "ItemProcessor": {**INNER, "ProcessorConfig": {"Speed": 1}}}, ["unknown-field"]),
        ({"Type": "Map", "ItemProcessor": {**INNER, "ProcessorConfig": 3}}, ["field-type"]),
        ({"Type": "Map", "ItemProcessor": {**INNER, "QueryLanguage": "JSONata"}}, ["unknown-field"]),
    ],
)
def test_the_mode_decides_whether_there_is_a_type_of_execution(
    state: dict[str, Any], codes: list[str]
) -> None:
    assert [code for code, _ in found(machine(state))] == codes


def test_fields_of_distributed_maps_are_accepted_in_inline_ones_and_do_nothing() -> None:
    reader = {"Resource": GET, "Arguments": {}}
    fields = {
        "ItemReader": reader,
        "ItemBatcher": {"MaxItemsPerBatch": 1},
        "Label": "x",
        "ToleratedFailureCount": 1,
    }
    definition = machine(mapped(**fields))
    assert found(definition) == [("inline-map", "a")] * 4
    assert rejected(definition) == ()


def test_an_express_execution_has_no_distributed_map() -> None:
    inner = {"StartAt": "m", "States": {"m": {**distributed(inner=INNER), "End": True}}}
    assert found(machine(distributed("STANDARD", inner))) == []
    assert found(machine(distributed("EXPRESS", inner))) == [("express", "a[*]/m")]


@pytest.mark.parametrize("field,values", [
    ("MaxConcurrency", [0, 1, 10**12, "{% 5 %}"]),
    ("ToleratedFailureCount", [0, 10**12, "{% 5 %}"]),
    ("ToleratedFailurePercentage", [0, 12.5, 100, "{% 5 %}"]),
    ("Items", [[], {"a": 1}, "{% $states.input %}"]),
    ("ItemSelector", [{}, "{% $states.context.Map.Item.Value %}"]),
])  # fmt: skip
def test_numbers_and_items_of_a_map(field: str, values: list[Any]) -> None:
    assert [of_state(distributed(**{field: value})) for value in values] == [[]] * len(values)


@pytest.mark.parametrize("field,values", [
    ("MaxConcurrency", [-1, 1.5, "5", True]),
    ("ToleratedFailureCount", [-1, 1.5, "5"]),
    ("ToleratedFailurePercentage", [-1, 101, "5"]),
    ("Items", ["x", 1, None]),
    ("ItemSelector", [[], 1]),
    ("Label", [1]),
])  # fmt: skip
def test_other_numbers_and_items_are_refused(field: str, values: list[Any]) -> None:
    assert [of_state(distributed(**{field: value})) for value in values] == [["field-type"]] * len(values)


@pytest.mark.parametrize("label", ["rows", "a-b_c", "x" * 40])
def test_labels_are_short_words(label: str) -> None:
    assert of_state(distributed(Label=label)) == []


@pytest.mark.parametrize("label", ["x" * 41, "a b", "a/b", "a*", "a{b}"])
def test_other_labels_are_refused(label: str) -> None:
    assert of_state(distributed(Label=label)) == ["map-label"]


def test_a_label_is_used_once_in_the_whole_definition() -> None:
    inner = {"StartAt": "m", "States": {"m": {**distributed(Label="rows"), "End": True}}}
    second = {**inner["States"]["m"], "ItemProcessor": {**distributed()["ItemProcessor"]}}
    second["ItemProcessor"] |= {"StartAt": "n", "States": {"n": {"Type": "Succeed"}}}
    branch = {"StartAt": "m", "States": {"m": second}}
    definition = machine(distributed(Label="rows"), {"Type": "Parallel", "Branches": [branch]})
    assert found(definition) == [("duplicate-label", "b[0]/m")]
    assert len(rejected(definition)) == 1


# Readers

SOUND_CONFIGS = [
    {"InputType": "JSON"},
    {"InputType": "JSON", "ItemsPointer": "/rows/0", "MaxItems": 5},
    {"InputType": "JSONL", "MaxItems": "{% $states.input.most %}"},
    {"InputType": "PARQUET"},
    {"InputType": "MANIFEST"},
    {"ManifestType": "S3_INVENTORY"},
    {"ManifestType": "ATHENA_DATA", "InputType": "CSV"},
    {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": "TAB"},
    {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["{% no expression", "b"]},
]


@pytest.mark.parametrize("config", SOUND_CONFIGS, ids=str)
def test_a_reader_reads_json_tables_and_manifests(config: dict[str, Any]) -> None:
    assert of_state(reading(config)) == []


@pytest.mark.parametrize(
    "config,code",
    [
        ({"InputType": "XML"}, "field-type"),
        ({"InputType": "CSV"}, "missing-field"),
        ({"InputType": "CSV", "CSVHeaderLocation": "GIVEN"}, "missing-field"),
        ({"InputType": "CSV", "CSVHeaderLocation": "LAST_ROW"}, "field-type"),
        ({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": ","}, "field-type"),
        ({"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": [1]}, "field-type"),
        ({"InputType": "JSON", "CSVHeaderLocation": "FIRST_ROW"}, "reader-config"),
        ({"InputType": "JSON", "MaxItems": 0}, "field-type"),
        ({"InputType": "JSON", "MaxItems": 100_000_001}, "field-type"),
        ({"InputType": "JSON", "ItemsPointer": "rows"}, "field-type"),
        ({"InputType": "JSON", "MaxItemsPath": "$.x"}, "jsonpath-field"),
        ({"InputType": "JSON", "Speed": 1}, "unknown-field"),
        ({"InputType": "JSON", "MaxItems": "{% $ %}"}, "expression-context"),
    ],
)
def test_other_configurations_are_refused(config: dict[str, Any], code: str) -> None:
    assert of_state(reading(config)) == [code]


def test_a_reader_lists_or_gets_objects() -> None:
    assert (
        of_state(reading({"MaxItems": 5, "Transformation": "LOAD_AND_FLATTEN", "InputType": "JSON"}, LIST))
        == []
    )
    assert of_state(reading({}, PUT)) == ["resource"]
    assert of_state(reading({}, "${Reader}")) == []
    assert of_state(distributed(ItemReader={"Arguments": {}})) == ["missing-field"]
    assert of_state(distributed(ItemReader=3)) == ["field-type"]
    assert of_state(distributed(ItemReader={"Resource": GET, "Parameters": {}})) == ["jsonpath-field"]


def test_items_beside_a_reader_are_advice() -> None:
    definition = machine({**reading({"InputType": "JSON"}), "Items": [1]})
    assert found(definition) == [("map-items", "a")]
    assert rejected(definition) == ()


# Batchers and writers


@pytest.mark.parametrize(
    "batcher,codes",
    [
        ({"MaxItemsPerBatch": 5}, []),
        ({"MaxInputBytesPerBatch": 262_144, "BatchInput": {"x": "{% 1 %}"}}, []),
        ({"MaxItemsPerBatch": "{% 5 %}", "BatchInput": "{% {'x': 1} %}"}, []),
        ({"BatchInput": {}}, ["batch-limit"]),
        ({"MaxItemsPerBatch": 0}, ["field-type"]),
        ({"MaxInputBytesPerBatch": 262_145}, ["field-type"]),
        ({"MaxItemsPerBatch": 5, "MaxItemsPerBatchPath": "$.x"}, ["jsonpath-field"]),
    ],
)
def test_a_batcher_limits_items_or_bytes(batcher: dict[str, Any], codes: list[str]) -> None:
    assert of_state(distributed(ItemBatcher=batcher)) == codes


@pytest.mark.parametrize(
    "writer,codes",
    [
        ({"Resource": PUT, "Arguments": TARGET}, []),
        ({"Resource": PUT, "Arguments": "{% $states.input.target %}"}, []),
        ({"Resource": PUT, "Arguments": TARGET, "WriterConfig": {"Transformation": "NONE"}}, []),
        ({"WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSONL"}}, []),
        ({}, ["missing-field"]),
        ({"Resource": PUT}, ["missing-field"]),
        ({"Arguments": TARGET}, ["missing-field"]),
        ({"Resource": GET, "Arguments": TARGET}, ["resource"]),
        ({"Resource": PUT, "Arguments": {"Bucket": "b"}}, ["missing-argument"]),
        ({"Resource": PUT, "Arguments": {**TARGET, "Bucket": 5}}, ["field-type"]),
        ({"Resource": PUT, "Arguments": TARGET, "Parameters": TARGET}, ["jsonpath-field"]),
        ({"WriterConfig": {"Transformation": "SORT"}}, ["field-type"]),
        ({"WriterConfig": {"OutputType": "CSV"}}, ["field-type"]),
    ],
)
def test_a_writer_has_a_target_or_a_form_or_both(writer: dict[str, Any], codes: list[str]) -> None:
    assert of_state(distributed(ResultWriter=writer)) == codes


def test_a_misspelt_field_is_answered_with_the_field_that_was_meant() -> None:
    (problem,) = validate(machine(reading({"InputTipe": "JSON"})))
    assert problem.fix == "write InputType"
