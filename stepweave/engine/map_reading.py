"""What only a distributed map has: where its items come from, how they are batched, where its results go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepweave.engine.fields import Fields
from stepweave.engine.machine import Distributed, ItemBatcher, ItemReader, ResultWriter
from stepweave.engine.templates import ObjectTemplate, Template
from stepweave.validation.resources import Resource, resource_of

INLINE_CONCURRENCY = 40
"""Iterations of an inline Map at once: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html."""


def read_distributed(fields: Fields, config: Mapping[str, Any]) -> Distributed | None:
    """The distributed part of a Map with this ``ProcessorConfig``; None for an inline one.

    Step Functions accepts ``ItemReader`` and the like in an inline Map; nothing uses them there.
    """
    if config.get("Mode") != "DISTRIBUTED":
        return None
    return Distributed(
        express=config.get("ExecutionType") == "EXPRESS",
        label=fields.source.get("Label"),
        reader=_reader(fields.inside("ItemReader")),
        batcher=_batcher(fields.inside("ItemBatcher")),
        writer=_writer(fields.inside("ResultWriter")),
        tolerated_count=fields.template("ToleratedFailureCount"),
        tolerated_percentage=fields.template("ToleratedFailurePercentage"),
    )


def _reader(fields: Fields | None) -> ItemReader | None:
    if fields is None:
        return None
    return ItemReader(
        resource=_call(fields.source["Resource"]),
        arguments=fields.template("Arguments"),
        config=_reader_config(fields),
    )


def _reader_config(fields: Fields) -> Template | None:
    """``ReaderConfig``; its ``CSVHeaders`` are names of columns, which are never evaluated."""
    config = fields.source.get("ReaderConfig")
    if config is None or "CSVHeaders" not in config:
        return fields.template("ReaderConfig")
    evaluated = {name: value for name, value in config.items() if name != "CSVHeaders"}
    template = fields.compile(evaluated, "ReaderConfig")
    return (
        ObjectTemplate(config, template.dynamic) if isinstance(template, ObjectTemplate) else Template(config)
    )


def _batcher(fields: Fields | None) -> ItemBatcher | None:
    if fields is None:
        return None
    return ItemBatcher(
        max_items=fields.template("MaxItemsPerBatch"),
        max_bytes=fields.template("MaxInputBytesPerBatch"),
        batch_input=fields.template("BatchInput"),
    )


def _writer(fields: Fields | None) -> ResultWriter | None:
    if fields is None:
        return None
    resource = fields.source.get("Resource")
    return ResultWriter(
        resource=None if resource is None else _call(resource),
        arguments=fields.template("Arguments"),
        config=fields.template("WriterConfig"),
    )


def _call(text: str) -> str:
    return (resource_of(text) or Resource(text)).call
