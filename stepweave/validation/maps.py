"""The Map state: its processor's mode, and the fields that only a Distributed Map has.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepweave.validation.limits import MAX_LABEL_LENGTH
from stepweave.validation.names import forbidden_characters
from stepweave.validation.readers import check_batcher, check_fields, check_reader, check_writer
from stepweave.validation.report import Add

PROCESSORS = ("ItemProcessor", "Iterator")
"""The field that holds the processor, and its older name."""

_DISTRIBUTED_ONLY = frozenset(
    {
        "ItemReader", "ItemBatcher", "ResultWriter", "Label", "ToleratedFailureCount", "ToleratedFailurePercentage",
    }
)  # fmt: skip


def processor_of(state: Mapping[str, Any]) -> Any:
    """The processor of a Map, whatever it is; None when there is none."""
    return next((state[field] for field in PROCESSORS if field in state), None)


def mode_of(state: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether a Map runs its iterations as executions of their own, and whether those are Express."""
    processor = processor_of(state)
    config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    if not isinstance(config, dict) or config.get("Mode") != "DISTRIBUTED":
        return False, False
    return True, config.get("ExecutionType") == "EXPRESS"


def check_map(state: Mapping[str, Any], add: Add, *, express: bool) -> None:
    """Report what is wrong with the fields that belong together in a Map; ``express`` as for a Task."""
    given = [field for field in PROCESSORS if field in state]
    if not given:
        add("missing-field", "a Map state needs ItemProcessor", expected="ItemProcessor")
    elif len(given) > 1:
        got = " and ".join(given)
        add("map-processor", "a Map has exactly one processor", expected="ItemProcessor", got=got)
    processor = processor_of(state)
    if isinstance(processor, dict):
        distributed, _ = mode_of(state)
        _config(processor, distributed, add)
        if distributed and express:
            fix = "set ExecutionType of the Map around it to STANDARD"
            add("express", "an Express execution has no Distributed Map", got="DISTRIBUTED", fix=fix)
        if not distributed:
            _inline(state, add)
    check_reader(state.get("ItemReader"), add)
    check_batcher(state.get("ItemBatcher"), add)
    check_writer(state.get("ResultWriter"), add)
    if "ItemReader" in state and "Items" in state:
        what = "a Map takes its items from ItemReader or from Items, not from both"
        add("map-items", what, fix="keep one of them")
    label = state.get("Label")
    if isinstance(label, str) and (len(label) > MAX_LABEL_LENGTH or forbidden_characters(label)):
        expected = f"at most {MAX_LABEL_LENGTH} letters, digits, - and _"
        add("map-label", "Label is too long or has forbidden characters", expected=expected, got=label)


def _config(processor: Mapping[str, Any], distributed: bool, add: Add) -> None:
    config = processor.get("ProcessorConfig", {})
    if not isinstance(config, dict):  # reported with the fields of the processor
        return
    check_fields("ProcessorConfig", config, add)
    execution = config.get("ExecutionType")
    if distributed and execution is None:
        add("map-mode", "a Distributed Map needs ExecutionType", expected="STANDARD or EXPRESS")
    elif not distributed and execution is not None:
        fix = "remove it, or set Mode to DISTRIBUTED"
        add("map-mode", "an inline Map has no ExecutionType", got=execution, fix=fix)


def _inline(state: Mapping[str, Any], add: Add) -> None:
    for field in sorted(_DISTRIBUTED_ONLY & state.keys()):
        fix = "set ItemProcessor.ProcessorConfig.Mode to DISTRIBUTED"
        add(
            "inline-map", f"{field} belongs to a Distributed Map; in this inline one nothing uses it", fix=fix
        )
