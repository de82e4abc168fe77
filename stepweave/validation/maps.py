"""The Map state: its processor's mode, and the fields that only a Distributed Map has.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

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
from stepweave.validation.limits import MAX_LABEL_LENGTH, MAX_SECONDS
from stepweave.validation.names import forbidden_characters

_DISTRIBUTED_ONLY = frozenset(
    {
        "ItemReader", "ItemBatcher", "ResultWriter", "Label", "ToleratedFailureCount", "ToleratedFailurePercentage",
    }
)  # fmt: skip
_LIMIT = or_expression(whole(1, MAX_SECONDS))
_INNER_FIELDS: dict[str, dict[str, Check]] = {
    "ItemReader": {"Resource": text, "Arguments": arguments, "ReaderConfig": an_object},
    "ItemBatcher": {"MaxItemsPerBatch": _LIMIT, "MaxInputBytesPerBatch": _LIMIT, "BatchInput": arguments},
    "ResultWriter": {"Resource": text, "Arguments": arguments, "WriterConfig": an_object},
    "ProcessorConfig": {
        "Mode": one_of("INLINE", "DISTRIBUTED"),
        "ExecutionType": one_of("STANDARD", "EXPRESS"),
    },
}


class Add(Protocol):
    """How the check of a state reports."""

    def __call__(
        self, code: str, what: str, *, expected: str | None = None, got: object = None, fix: str | None = None
    ) -> None: ...


def is_distributed(state: Mapping[str, Any]) -> bool:
    """Whether a Map runs its iterations as executions of their own."""
    processor = state.get("ItemProcessor")
    config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    return isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED"


def check_map(state: Mapping[str, Any], add: Add) -> None:
    """Report what is wrong with the fields that belong together in a Map."""
    processor = state.get("ItemProcessor")
    if isinstance(processor, dict):
        if "ProcessorConfig" in processor:
            _config(processor["ProcessorConfig"], add)
        if not is_distributed(state):
            for field in sorted(_DISTRIBUTED_ONLY & state.keys()):
                fix = "set ItemProcessor.ProcessorConfig.Mode to DISTRIBUTED"
                add("map-mode", f"{field} belongs to a Distributed Map, this one is inline", fix=fix)
    for field in ("ItemReader", "ItemBatcher", "ResultWriter"):
        _inner(field, state.get(field), add)
    _needed(state, add)
    label = state.get("Label")
    if isinstance(label, str) and (len(label) > MAX_LABEL_LENGTH or forbidden_characters(label)):
        expected = f"at most {MAX_LABEL_LENGTH} letters, digits, - and _"
        add("map-label", "Label is too long or has forbidden characters", expected=expected, got=label)


def _inner(field: str, value: Any, add: Add) -> None:
    """Check the fields of an object inside a Map; what is no object is reported by its holder."""
    if not isinstance(value, dict):
        return
    fields = _INNER_FIELDS[field]
    for name, entry in value.items():
        check = fields.get(name)
        if check is None and name in JSONPATH_FIELDS:
            fix = JSONPATH_FIELDS[name]
            add("jsonpath-field", f"{field}.{name} belongs to JSONPath, not to JSONata mode", fix=fix)
        elif check is None:
            add("unknown-field", f"{field} has no field {name}", expected=", ".join(sorted(fields)), got=name)
        elif expected := check(entry):
            add("field-type", f"{field}.{name} has a wrong value", expected=expected, got=entry)


def _config(config: Any, add: Add) -> None:
    if not isinstance(config, dict):
        add("field-type", "ProcessorConfig is not an object", expected="an object", got=config)
        return
    _inner("ProcessorConfig", config, add)
    distributed, execution = config.get("Mode") == "DISTRIBUTED", config.get("ExecutionType")
    if distributed and execution is None:
        add("map-mode", "a Distributed Map needs ExecutionType", expected="STANDARD or EXPRESS")
    elif not distributed and execution is not None:
        fix = "remove it, or set Mode to DISTRIBUTED"
        add("map-mode", "an inline Map has no ExecutionType", got=execution, fix=fix)


def _needed(state: Mapping[str, Any], add: Add) -> None:
    reader, writer, batcher = (state.get(field) for field in ("ItemReader", "ResultWriter", "ItemBatcher"))
    if isinstance(reader, dict) and "Resource" not in reader:
        add("missing-field", "ItemReader needs Resource", expected="Resource")
    if isinstance(writer, dict) and not writer.keys() & {"Resource", "WriterConfig"}:
        add("missing-field", "ResultWriter needs Resource", expected="Resource")
    if isinstance(batcher, dict) and not batcher.keys() & {"MaxItemsPerBatch", "MaxInputBytesPerBatch"}:
        add("missing-field", "ItemBatcher has no limit", expected="MaxItemsPerBatch or MaxInputBytesPerBatch")
    if "ItemReader" in state and "Items" in state:
        what = "a Map takes its items from Items or from ItemReader, not from both"
        add("map-items", what, fix="keep one of them")
