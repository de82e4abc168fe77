"""State machines that are measured: chains and maps of states that do nothing."""

from __future__ import annotations

from typing import Any

PASS = {"Type": "Pass", "Output": {"value": 1}}
TASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:dynamodb:listTables",
    "Arguments": {},
    "Output": 1,
}
"""A task that every interpreter can answer without a world around it."""


def chain(length: int) -> dict[str, Any]:
    """``length`` Pass states in a row."""
    states = {
        f"s{index}": {**PASS, **({"Next": f"s{index + 1}"} if index + 1 < length else {"End": True})}
        for index in range(length)
    }
    return {"QueryLanguage": "JSONata", "StartAt": "s0", "States": states}


def looped(states: int) -> dict[str, Any]:
    """A loop of nine Pass states and a Choice, which ends after ``states`` of them (a multiple of 10)."""
    names = [f"s{index}" for index in range(9)]
    body = {
        name: {**PASS, "Next": following}
        for name, following in zip(names, [*names[1:], "again"], strict=True)
    }
    rule = {"Condition": f"{{% $n < {states // 10} %}}", "Assign": {"n": "{% $n + 1 %}"}, "Next": "s0"}
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "zero",
        "States": {
            "zero": {"Type": "Pass", "Assign": {"n": 1}, "Next": "s0"},
            **body,
            "again": {"Type": "Choice", "Choices": [rule], "Default": "end"},
            "end": {"Type": "Succeed"},
        },
    }


def mapped(items: int, state: dict[str, Any], *, distributed: bool = False) -> dict[str, Any]:
    """A Map over ``items`` numbers with one state inside."""
    mode = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"} if distributed else {"Mode": "INLINE"}
    inner = {"ProcessorConfig": mode, "StartAt": "one", "States": {"one": {**state, "End": True}}}
    outer = {"Type": "Map", "Items": [*range(items)], "ItemProcessor": inner, "Output": "done", "End": True}
    return {"QueryLanguage": "JSONata", "StartAt": "all", "States": {"all": outer}}


def hourly() -> dict[str, Any]:
    """Ten states, as a small pipeline that runs every hour has them."""
    wait = {"Type": "Wait", "Seconds": 60}
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}]
    call = {**TASK, "Retry": retry, "TimeoutSeconds": 900}
    rules = [{"Condition": "{% $n > 0 %}", "Next": "both"}]
    branches = [{"StartAt": name, "States": {name: {**call, "End": True}}} for name in ("left", "right")]
    states: dict[str, Any] = {
        "set": {
            "Type": "Pass",
            "Assign": {"n": "{% $length($states.context.Execution.Name) %}"},
            "Next": "extract",
        },
        "extract": {**call, "Next": "settle"},
        "settle": {**wait, "Next": "enough"},
        "enough": {"Type": "Choice", "Choices": rules, "Default": "nothing"},
        "both": {"Type": "Parallel", "Branches": branches, "Next": "load"},
        "load": {**call, "Next": "publish"},
        "publish": {**call, "End": True},
        "nothing": {"Type": "Succeed"},
    }
    return {"QueryLanguage": "JSONata", "StartAt": "set", "States": states}
