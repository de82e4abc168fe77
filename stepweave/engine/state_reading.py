"""One state of a sound definition: its templates compiled, its branches opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from stepweave.engine.fields import Fields, Notes, Place
from stepweave.engine.machine import (
    Block,
    Catcher,
    Choice,
    Fail,
    Map,
    Parallel,
    Pass,
    Retrier,
    Rule,
    State,
    Succeed,
    Task,
    Wait,
)
from stepweave.engine.map_reading import INLINE_CONCURRENCY, read_distributed
from stepweave.engine.templates import Template
from stepweave.validation.resources import Resource, resource_of


class Blocks(Protocol):
    """Where the blocks inside a state are opened, and what is found is noted."""

    @property
    def notes(self) -> Notes: ...

    def open_block(self, source: Mapping[str, Any], place: Place | None) -> Block: ...


def read_state(name: str, source: Mapping[str, Any], place: Place | None, blocks: Blocks) -> State:
    """The state ``name`` in the block at ``place``."""
    fields = Fields(source, name, place, blocks.notes)
    kind = source["Type"]
    if kind == "Fail":
        return Fail(name=name, error=fields.template("Error"), cause=fields.template("Cause"))
    common: dict[str, Any] = {
        "name": name,
        "next": source.get("Default" if kind == "Choice" else "Next"),
        "output": fields.template("Output"),
        "assign": fields.template("Assign"),
    }
    match kind:
        case "Pass":
            return Pass(**common)
        case "Succeed":
            return Succeed(**common)
        case "Wait":
            seconds, timestamp = fields.template("Seconds"), fields.template("Timestamp")
            return Wait(**common, seconds=seconds, timestamp=timestamp)
        case "Choice":
            return Choice(**common, rules=tuple(_rules(fields)))
    common["retry"] = tuple(_retrier(retrier) for retrier in source.get("Retry", ()))
    common["catch"] = tuple(_catchers(fields))
    common["arguments"] = fields.template("Arguments")
    match kind:
        case "Task":
            return _task(fields, common)
        case "Parallel":
            branches = enumerate(source["Branches"])
            inner = (
                blocks.open_block(branch, Place(place, name, f"[{index}]")) for index, branch in branches
            )
            return Parallel(**common, branches=tuple(inner))
        case _:
            return _map(fields, common, blocks)


def _task(fields: Fields, common: dict[str, Any]) -> Task:
    text = fields.source["Resource"]
    resource = resource_of(text) or Resource(text)
    return Task(
        **common,
        resource=resource.call,
        target=resource.target,
        timeout_seconds=fields.template("TimeoutSeconds"),
        heartbeat_seconds=fields.template("HeartbeatSeconds"),
    )


def _map(fields: Fields, common: dict[str, Any], blocks: Blocks) -> Map:
    source = fields.source
    processor = source["ItemProcessor"] if "ItemProcessor" in source else source["Iterator"]
    distributed = read_distributed(fields, processor.get("ProcessorConfig", {}))
    limit = fields.template("MaxConcurrency")
    return Map(
        **common,
        processor=blocks.open_block(processor, Place(fields.place, fields.name, "[*]")),
        items=fields.template("Items"),
        selector=fields.template("ItemSelector"),
        max_concurrency=limit or Template(0 if distributed else INLINE_CONCURRENCY),
        distributed=distributed,
    )


def _rules(fields: Fields) -> Iterator[Rule]:
    for rule in fields.each("Choices"):
        yield Rule(
            condition=rule.compile(rule.source["Condition"], "Condition"),
            next=rule.source["Next"],
            output=rule.template("Output"),
            assign=rule.template("Assign"),
        )


def _catchers(fields: Fields) -> Iterator[Catcher]:
    for catcher in fields.each("Catch"):
        yield Catcher(
            errors=frozenset(catcher.source["ErrorEquals"]),
            next=catcher.source["Next"],
            output=catcher.template("Output"),
            assign=catcher.template("Assign"),
        )


def _retrier(retrier: Mapping[str, Any]) -> Retrier:
    return Retrier(
        errors=frozenset(retrier["ErrorEquals"]),
        interval_seconds=retrier.get("IntervalSeconds", 1),
        max_attempts=retrier.get("MaxAttempts", 3),
        backoff_rate=retrier.get("BackoffRate", 2.0),
        max_delay_seconds=retrier.get("MaxDelaySeconds"),
        jitter=retrier.get("JitterStrategy") == "FULL",
    )
