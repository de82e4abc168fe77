"""Machines for expressions: ones that fail in every field, and a table of what expressions give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.engine.building import block
from tests.parity.cases import Case, Fails, case, passing, task
from tests.parity.machines.maps import mapping
from tests.parity.machines.parallels import parallel
from tests.parity.machines.tasks import CAUGHT, catcher

BROKEN = {
    "undefined": "$states.input.no",
    "of wrong types": "1 + 'a'",
    "an error": "$error('stop')",
    "a function": "$sum",
    "no function": "$nothing(1)",
}
SIMPLE = block(("i", passing()))


def plain(bad: Any) -> dict[str, dict[str, Any]]:
    """States without a Catch, by the field that holds ``bad``."""
    rule = {"Condition": "{% true %}", "Next": "e"}
    never = {"Condition": "{% false %}", "Next": "e"}
    return {
        "Pass.Output": passing(bad),
        "Pass.Output, inside": passing({"a": [1, bad]}),
        "Pass.Assign": passing(1, Assign={"x": bad}),
        "Succeed.Output": {"Type": "Succeed", "Output": bad},
        "Fail.Error": {"Type": "Fail", "Error": bad},
        "Fail.Cause": {"Type": "Fail", "Error": "E", "Cause": bad},
        "Wait.Seconds": {"Type": "Wait", "Seconds": bad},
        "Wait.Timestamp": {"Type": "Wait", "Timestamp": bad},
        "Choice.Condition": {"Type": "Choice", "Choices": [{**rule, "Condition": bad}], "Default": "e"},
        "Choice.Output": {"Type": "Choice", "Choices": [{**rule, "Output": bad}]},
        "Choice.Default's Output": {"Type": "Choice", "Choices": [never], "Default": "e", "Output": bad},
        "Choice.Assign": {"Type": "Choice", "Choices": [{**rule, "Assign": {"x": bad}}]},
    }


def fallible(bad: Any) -> dict[str, dict[str, Any]]:
    """States that may have a Catch, by the field that holds ``bad``."""
    one = ("i", passing())
    return {
        "Task.Arguments": task(bad),
        "Task.Output": task(Output=bad),
        "Task.Assign": task(Assign={"x": bad}),
        "Parallel.Arguments": parallel(SIMPLE, Arguments=bad),
        "Parallel.Output": parallel(SIMPLE, Output=bad),
        "Map.Items": mapping(one, Items=bad),
        "Map.ItemSelector": mapping(one, Items=[1], ItemSelector=bad),
        "Map.Output": mapping(one, Items=[1], Output={"a": bad}),
    }


def fields() -> Iterator[Case]:
    """Every field that holds an expression, with ones that fail."""
    for name, text in BROKEN.items():
        bad = f"{{% {text} %}}"
        for field, state in plain(bad).items():
            after = (("e", passing()),) if state["Type"] == "Choice" else ()
            yield case(f"{field} is {name}", ("s", state), *after)
        for field, state in fallible(bad).items():
            catch = [catcher("States.QueryEvaluationError", Output="{% $states.errorOutput.Error %}")]
            yield case(f"{field} is {name}", ("s", {**state, "Catch": catch}), CAUGHT)
        for field, fails in {"Output": {"Output": bad}, "Assign": {"Assign": {"x": bad}}}.items():
            state = task(Catch=[catcher("E", **fails)])
            yield case(f"Catch.{field} is {name}", ("s", state), CAUGHT, answers={"s": Fails("E")})


TABLE = Path(__file__).parents[1] / "data" / "expressions.txt"
INPUT = {"a": {"b": 1}, "a b": 2, "list": [{"v": 1}, {"v": 2}]}


def values() -> Iterator[Case]:
    """One expression of the table in each machine."""
    topic = ""
    for line in TABLE.read_text().splitlines():
        if line.startswith("# "):
            topic = line.removeprefix("# ")
        elif line:
            yield case(f"{topic}: {line}", ("a", passing(f"{{% {line} %}}")), inputs=(INPUT,))


CASES = (*fields(), *values())
