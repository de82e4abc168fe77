"""Where a Distributed Map finds its items, and where its results go.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html,
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html and
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepweave.validation.fields import (
    JSONPATH_FIELDS,
    Check,
    an_object,
    arguments,
    one_of,
    or_expression,
    text,
    whole,
)
from stepweave.validation.limits import MAX_BATCH_BYTES, MAX_ITEMS
from stepweave.validation.report import Add
from stepweave.validation.resources import resource_of
from stepweave.validation.suggestions import closest


def _texts(value: Any) -> str | None:
    right = isinstance(value, (list, tuple)) and all(isinstance(entry, str) for entry in value)
    return None if right else "an array of text"


def _pointer(value: Any) -> str | None:
    right = isinstance(value, str) and (not value or value.startswith(("/", "{%")))
    return None if right else "a JSON pointer, such as /items"


_FIELDS: dict[str, dict[str, Check]] = {
    "ItemReader": {"Resource": text, "Arguments": arguments, "ReaderConfig": an_object},
    "ReaderConfig": {
        "InputType": one_of("CSV", "JSON", "JSONL", "MANIFEST", "PARQUET"),
        "ManifestType": one_of("ATHENA_DATA", "S3_INVENTORY"),
        "Transformation": one_of("NONE", "LOAD_AND_FLATTEN"),
        "CSVHeaderLocation": one_of("FIRST_ROW", "GIVEN"),
        "CSVHeaders": _texts,
        "CSVDelimiter": one_of("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"),
        "MaxItems": or_expression(whole(1, MAX_ITEMS)),
        "ItemsPointer": _pointer,
    },
    "ItemBatcher": {
        "MaxItemsPerBatch": or_expression(whole(1)),
        "MaxInputBytesPerBatch": or_expression(whole(1, MAX_BATCH_BYTES)),
        "BatchInput": arguments,
    },
    "ResultWriter": {"Resource": text, "Arguments": arguments, "WriterConfig": an_object},
    "WriterConfig": {
        "Transformation": one_of("NONE", "COMPACT", "FLATTEN"),
        "OutputType": one_of("JSON", "JSONL"),
    },
    "ProcessorConfig": {
        "Mode": one_of("INLINE", "DISTRIBUTED"),
        "ExecutionType": one_of("STANDARD", "EXPRESS"),
    },
}
_CSV = ("CSVHeaderLocation", "CSVHeaders", "CSVDelimiter")


def check_fields(field: str, value: Any, add: Add) -> None:
    """Report fields of the object ``field`` that it does not have or that are wrong; its holder reports no objects."""
    if not isinstance(value, dict):
        return
    fields = _FIELDS[field]
    for name, entry in value.items():
        check = fields.get(name)
        if check is None and name in JSONPATH_FIELDS:
            fix = JSONPATH_FIELDS[name]
            add("jsonpath-field", f"{field}.{name} belongs to JSONPath, not to JSONata mode", fix=fix)
        elif check is None:
            like, known = closest(name, fields), ", ".join(sorted(fields))
            meant = f"write {like}" if like else None
            add("unknown-field", f"{field} has no field {name}", expected=known, got=name, fix=meant)
        elif expected := check(entry):
            add("field-type", f"{field}.{name} has a wrong value", expected=expected, got=entry)


def check_reader(reader: Any, add: Add) -> None:
    """Report what is wrong with an ``ItemReader``."""
    check_fields("ItemReader", reader, add)
    if not isinstance(reader, dict):
        return
    if "Resource" not in reader:
        add("missing-field", "ItemReader needs Resource", expected="Resource")
    _resource("ItemReader", reader.get("Resource"), ("s3:getObject", "s3:listObjectsV2"), add)
    config = reader.get("ReaderConfig")
    check_fields("ReaderConfig", config, add)
    if isinstance(config, dict):
        _csv(config, add)


def _csv(config: Mapping[str, Any], add: Add) -> None:
    """Report headers that are missing, or where there is no table."""
    kind = config.get("InputType")
    if kind == "CSV" and "ManifestType" not in config and "CSVHeaderLocation" not in config:
        expected = "FIRST_ROW or GIVEN"
        add("missing-field", "ReaderConfig of CSV needs CSVHeaderLocation", expected=expected)
    if kind in ("JSON", "JSONL", "PARQUET"):
        for field in _CSV:
            if field in config:
                what = f"ReaderConfig.{field} belongs to CSV"
                add("reader-config", what, expected="InputType CSV", got=kind, fix=f"remove {field}")
    if config.get("CSVHeaderLocation") == "GIVEN" and "CSVHeaders" not in config:
        add("missing-field", "ReaderConfig needs CSVHeaders for the location GIVEN", expected="CSVHeaders")


def check_batcher(batcher: Any, add: Add) -> None:
    """Report what is wrong with an ``ItemBatcher``."""
    check_fields("ItemBatcher", batcher, add)
    if isinstance(batcher, dict) and not batcher.keys() & {"MaxItemsPerBatch", "MaxInputBytesPerBatch"}:
        expected = "MaxItemsPerBatch or MaxInputBytesPerBatch"
        add("batch-limit", "ItemBatcher has no limit", expected=expected)


def check_writer(writer: Any, add: Add) -> None:
    """Report what is wrong with a ``ResultWriter``."""
    check_fields("ResultWriter", writer, add)
    if not isinstance(writer, dict):
        return
    check_fields("WriterConfig", writer.get("WriterConfig"), add)
    _resource("ResultWriter", writer.get("Resource"), ("s3:putObject",), add)
    if ("Resource" in writer) != ("Arguments" in writer):
        missing = "Arguments" if "Resource" in writer else "Resource"
        add("missing-field", f"ResultWriter needs {missing}", expected="Resource and Arguments, or neither")
    elif "Resource" not in writer and "WriterConfig" not in writer:
        add("missing-field", "ResultWriter is empty", expected="Resource and Arguments, or WriterConfig")
    given = writer.get("Arguments")
    for name in ("Bucket", "Prefix"):
        if isinstance(given, dict) and name not in given:
            add("missing-argument", f"Arguments of ResultWriter have no {name}", expected=name)
        elif isinstance(given, dict) and (expected := text(given[name])):
            what = f"ResultWriter.Arguments.{name} has a wrong value"
            add("field-type", what, expected=expected, got=given[name])


def _resource(field: str, given: Any, known: tuple[str, ...], add: Add) -> None:
    resource = resource_of(given) if isinstance(given, str) else None
    if isinstance(given, str) and (resource is None or (resource.call not in known and "${" not in given)):
        expected = " or ".join(f"arn:aws:states:::{call}" for call in known)
        add("resource", f"{field}.Resource is none that a Map can use", expected=expected, got=given)
