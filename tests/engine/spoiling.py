"""Definitions that nobody would write: what hypothesis makes of a sound machine."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

from tests.engine.drawing import machines
from tests.engine.hostile import EXPRESSIONS, TEXTS, VALUES

KEYS = (
    "Type", "Next", "End", "StartAt", "States", "Output", "Assign", "Arguments", "Resource", "Retry", "Catch",
    "ErrorEquals", "MaxAttempts", "IntervalSeconds", "BackoffRate", "MaxDelaySeconds", "JitterStrategy",
    "TimeoutSeconds", "HeartbeatSeconds", "Branches", "ItemProcessor", "ProcessorConfig", "Mode", "ExecutionType",
    "Items", "ItemSelector", "ItemReader", "ItemBatcher", "ResultWriter", "MaxConcurrency", "Label",
    "ToleratedFailureCount", "ToleratedFailurePercentage", "Choices", "Condition", "Default", "Seconds", "Timestamp",
    "Error", "Cause", "QueryLanguage", "Comment", "Version", "InputPath", "Parameters", "ReaderConfig", "MaxItems",
    "MaxItemsPerBatch", "BatchInput", "",
)  # fmt: skip
SPICES: dict[str, tuple[tuple[str, ...], tuple[Any, ...]]] = {
    "Output": (("Task", "Pass", "Wait", "Choice", "Succeed", "Parallel", "Map"), ()),
    "Arguments": (("Parallel",), ()),
    "Seconds": (("Wait",), (0, 99_999_999)),
    "Items": (("Map",), ([], [1, "a", None], {"a": 1})),
    "ItemSelector": (("Map",), ({"i": "{% $states.context.Map.Item.Index %}"},)),
    "MaxConcurrency": (("Map",), (0, 1, 1000)),
    "ToleratedFailureCount": (("Map",), (0, 3)),
    "ToleratedFailurePercentage": (("Map",), (0, 50, 100)),
    "ItemBatcher": (
        ("Map",),
        ({"MaxItemsPerBatch": 2}, {"MaxInputBytesPerBatch": 10}, {"MaxItemsPerBatch": "{% 'x' %}"}),
    ),
    "ItemReader": (
        ("Map",),
        tuple(
            {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {
                    "InputType": kind,
                    **({"CSVHeaderLocation": "FIRST_ROW"} if kind == "CSV" else {}),
                },
                "Arguments": {"Bucket": "bucket", "Key": key},
            }
            for kind in ("JSON", "JSONL", "CSV")
            for key in ("items.json", "lines", "table", "absent")
        ),
    ),
    "ResultWriter": (
        ("Map",),
        tuple(
            {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": bucket, "Prefix": "p"}}
            for bucket in ("bucket", "absent", "{% 1 %}")
        ),
    ),
    "TimeoutSeconds": (("Task",), (1, 99_999_999)),
    "HeartbeatSeconds": (("Task",), (1,)),
    "Error": (("Fail",), ("", "E", "States.Timeout")),
    "Cause": (("Fail",), ("", "C")),
    "Resource": (("Task",), tuple(text for text in TEXTS if text.startswith("arn:"))),
    "Retry": (
        ("Task", "Parallel", "Map"),
        (
            [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 99_999_999, "BackoffRate": 1000.0}],
            [
                {
                    "ErrorEquals": ["States.TaskFailed"],
                    "MaxDelaySeconds": 31_622_400,
                    "IntervalSeconds": 9_999_999,
                }
            ],
        ),
    ),
}
"""Fields, the types of states that have them, and values for them besides expressions."""
OBJECTS = {
    "items.json": '[1, {"a": [2]}, null, "ü"]',
    "lines": '1\n{"a": 2}\n\n"x"',
    "table": 'a,b\n1,"2\n3"\n4',
}
"""What item readers find in the bucket ``bucket``."""


@st.composite
def texts(draw: st.DrawFn) -> str:
    """The text of a definition: any JSON, or no JSON at all."""
    try:
        text = json.dumps(draw(VALUES | spoiled_machines()))
    except RecursionError:  # json itself gives up where states are nested too deeply
        text = '{"StartAt": "p", "States": {"p": {"Type": "Parallel", "Branches": [' * 3_000
    match draw(st.integers(0, 5)):
        case 0:
            return draw(st.text(max_size=20))
        case 1:
            return text[: draw(st.integers(0, len(text)))]
        case 2:
            return text.replace('"Next"', '"Type"')
    return text


@st.composite
def spoiled_machines(draw: st.DrawFn) -> Any:
    """A sound definition with one to four things wrong."""
    sound, _ = draw(machines())
    definition: Any = copy.deepcopy(sound)
    for _ in range(draw(st.integers(1, 4))):
        definition = _spoil(draw, definition)
    if isinstance(definition, dict) and draw(st.integers(0, 19)) == 0:
        definition = _nested(definition, draw(st.sampled_from((30, 400, 3_000))))
    return definition


@st.composite
def spiced_machines(draw: st.DrawFn) -> dict[str, Any]:
    """A definition with hostile values where values may stand; most are accepted."""
    definition, _ = draw(machines())
    definition = copy.deepcopy(definition)
    states = [
        value
        for _, _, value in _places(definition)
        if isinstance(value, dict) and isinstance(value.get("Type"), str)
    ]
    for _ in range(draw(st.integers(1, 5))):
        state = draw(st.sampled_from(states))
        fields = [name for name, (types, _) in SPICES.items() if state["Type"] in types]
        if fields:
            _spice(draw, state, draw(st.sampled_from(fields)))
    if draw(st.integers(0, 9)) == 0:
        _loop(definition)
    if draw(st.integers(0, 9)) == 0:
        definition["TimeoutSeconds"] = draw(st.sampled_from((1, 10, 99_999_999)))
    return definition


def _spice(draw: st.DrawFn, state: dict[str, Any], name: str) -> None:
    values = SPICES[name][1]
    if values and (
        name in ("Retry", "ItemReader", "ResultWriter", "ItemBatcher", "Resource") or draw(st.booleans())
    ):
        state[name] = copy.deepcopy(draw(st.sampled_from(values)))
    elif name in ("Output", "Arguments") and draw(st.integers(0, 3)) == 0:
        state[name] = draw(VALUES)
    else:
        state[name] = f"{{% {draw(st.sampled_from(EXPRESSIONS))} %}}"
    if name == "Resource" and draw(st.booleans()):
        state["Arguments"] = {"Payload": draw(VALUES)}
    if name == "Seconds":
        state.pop("Timestamp", None)
    if name == "ItemReader":
        state.pop("Items", None)


def _loop(definition: dict[str, Any]) -> None:
    """Lead the first line back to its beginning, for ever."""
    ends = [state for state in definition["States"].values() if state.pop("End", False)]
    if not ends:
        return
    for state in ends:
        state["Next"] = "again"
    rule = {"Condition": "{% $states.context.State.Name = 'never' %}", "Next": "never"}
    definition["States"] |= {
        "again": {"Type": "Choice", "Choices": [rule], "Default": definition["StartAt"]},
        "never": {"Type": "Succeed"},
    }


def _nested(definition: Any, depth: int) -> Any:
    for number in range(depth):
        block = {key: value for key, value in definition.items() if key in ("StartAt", "States")}
        state = {"Type": "Parallel", "Branches": [block], "End": True}
        name = f"around {number}"
        definition = {"QueryLanguage": "JSONata", "StartAt": name, "States": {name: state}}
    return definition


def _places(value: Any) -> list[tuple[Any, Any, Any]]:
    """Everything inside ``value``: what holds it, under which key, and itself."""
    found: list[tuple[Any, Any, Any]] = []
    pending = [value]
    while pending:
        holder = pending.pop()
        items = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for key, item in items:
            found.append((holder, key, item))
            if isinstance(item, dict | list):
                pending.append(item)
    return found


def _spoil(draw: st.DrawFn, definition: Any) -> Any:
    places = _places(definition) if isinstance(definition, dict | list) else []
    if not places:
        return draw(VALUES)
    holder, key, item = draw(st.sampled_from(places))
    match draw(st.sampled_from(("drop", "value", "value", "expression", "rename", "add", "copy", "name"))):
        case "drop":
            del holder[key]
        case "value":
            holder[key] = draw(VALUES)
        case "expression":
            holder[key] = f"{{% {draw(st.sampled_from(EXPRESSIONS))} %}}"
        case "rename" if isinstance(holder, dict):
            holder[draw(st.sampled_from(KEYS))] = holder.pop(key)
        case "add" if isinstance(item, dict):
            item[draw(st.sampled_from(KEYS))] = draw(VALUES)
        case "copy":
            other, where, value = draw(st.sampled_from(places))
            other[where] = copy.deepcopy(item)
            holder[key] = copy.deepcopy(value)
        case "name" if isinstance(item, str):
            holder[key] = draw(st.sampled_from(TEXTS))
    return definition
