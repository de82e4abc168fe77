"""The Map state: its processor's mode, and the fields that only a Distributed Map has.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from stepweave.asl.lint.limits import MAX_LABEL_LENGTH
from stepweave.asl.lint.names import forbidden_characters

_DISTRIBUTED_ONLY = (
    "ItemReader", "ItemBatcher", "ResultWriter", "Label", "ToleratedFailureCount", "ToleratedFailurePercentage",
)  # fmt: skip
_INNER_FIELDS = {
    "ItemReader": frozenset({"Resource", "Arguments", "ReaderConfig"}),
    "ItemBatcher": frozenset({"MaxItemsPerBatch", "MaxInputBytesPerBatch", "BatchInput"}),
    "ResultWriter": frozenset({"Resource", "Arguments", "WriterConfig"}),
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
    if isinstance(processor, dict) and "ProcessorConfig" in processor:
        _config(processor["ProcessorConfig"], add)
    distributed = is_distributed(state)
    for field in _DISTRIBUTED_ONLY:
        if field not in state:
            continue
        if not distributed and isinstance(processor, dict):
            fix = "set ItemProcessor.ProcessorConfig.Mode to DISTRIBUTED"
            add("map-mode", f"{field} belongs to a Distributed Map, this one is inline", fix=fix)
        value = state[field]
        if field in _INNER_FIELDS and isinstance(value, dict):
            for inner in value.keys() - _INNER_FIELDS[field]:
                add(
                    "unknown-field",
                    f"{field} has no field {inner}",
                    expected=", ".join(sorted(_INNER_FIELDS[field])),
                )
    _reader(state, add)
    label = state.get("Label")
    if isinstance(label, str) and (len(label) > MAX_LABEL_LENGTH or forbidden_characters(label)):
        add(
            "map-label",
            "Label is too long or has forbidden characters",
            expected=f"≤ {MAX_LABEL_LENGTH} letters",
            got=label,
        )


def _config(config: Any, add: Add) -> None:
    if not isinstance(config, dict):
        add("field-type", "ProcessorConfig is not an object", expected="an object", got=config)
        return
    mode, execution = config.get("Mode", "INLINE"), config.get("ExecutionType")
    if mode not in ("INLINE", "DISTRIBUTED"):
        add("map-mode", "ProcessorConfig.Mode is unknown", expected="INLINE or DISTRIBUTED", got=mode)
    elif mode == "DISTRIBUTED" and execution not in ("STANDARD", "EXPRESS"):
        add(
            "map-mode", "a Distributed Map needs ExecutionType", expected="STANDARD or EXPRESS", got=execution
        )
    elif mode == "INLINE" and execution is not None:
        add(
            "map-mode",
            "an inline Map has no ExecutionType",
            got=execution,
            fix="remove it, or set Mode to DISTRIBUTED",
        )


def _reader(state: Mapping[str, Any], add: Add) -> None:
    for field in ("ItemReader", "ResultWriter"):
        value = state.get(field)
        if (
            isinstance(value, dict)
            and "Resource" not in value
            and not (field == "ResultWriter" and "WriterConfig" in value)
        ):
            add("missing-field", f"{field} needs Resource", expected="Resource")
    if "ItemReader" in state and "Items" in state:
        add(
            "map-items",
            "a Map takes its items from Items or from ItemReader, not from both",
            fix="keep one of them",
        )
    batcher = state.get("ItemBatcher")
    if isinstance(batcher, dict) and not batcher.keys() & {"MaxItemsPerBatch", "MaxInputBytesPerBatch"}:
        add("missing-field", "ItemBatcher has no limit", expected="MaxItemsPerBatch or MaxInputBytesPerBatch")
