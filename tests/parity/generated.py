"""Machines that hypothesis draws: any control flow, with expressions, variables, retries, catches and failures.

Kept out, so that every interpreter can be asked: what is a matter of time (only one line of a Parallel may fail, and
all iterations fail alike) and values whose text differs by a row of docs/parity.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.parity.cases import RESOURCE, Answer, Case, Echo, Fails, Tries
from tests.parity.vocabulary import CONDITIONS, ERRORS, EXPRESSIONS, INPUTS, MATCHED, SAFE


@dataclass(slots=True)
class Drawn:
    """What is drawn so far: the names given out, and how the tasks answer."""

    draw: st.DrawFn
    count: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)

    def name(self, kind: str) -> str:
        """A name that no other state or variable has."""
        self.count += 1
        return f"{kind}{self.count}"

    def one(self, values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) < percent


@dataclass(frozen=True, slots=True)
class Place:
    """Where a state stands."""

    depth: int
    failing: bool
    """Whether what is here may fail; beside a branch that may, the others may not."""
    outer: tuple[str, ...] = ()
    """Variables of the scopes around."""


def _read(drawn: Drawn, readable: tuple[str, ...], place: Place, result: bool) -> str:
    if not place.failing:
        return drawn.one(
            ("$states.input", "$states.context.Execution.Input", "$states.context.State.Name", "1")
        )
    paths = [
        "$states.input",
        "$states.context.Execution.Input.a",
        "$states.context.Execution.Input",
        "$states.context.State.Name",
        "7",
    ] * 2
    paths += ["$states.input.a", "$states.input.b", "$states.context.Execution.Input.b"]
    paths += [f"${name}" for name in readable] * drawn.chance(30)
    return drawn.one(paths + ["$states.result"] * 4 * result)


def _expression(drawn: Drawn, readable: tuple[str, ...], place: Place, result: bool = False) -> str:
    text = drawn.one(EXPRESSIONS if place.failing and drawn.chance(40) else SAFE)
    while "@" in text:
        text = text.replace("@", _read(drawn, readable, place, result), 1)
    return f"{{% {text} %}}"


def _data(drawn: Drawn, readable: tuple[str, ...], place: Place, result: bool = False) -> Any:
    kind = drawn.draw(st.integers(0, 9))
    if kind == 0:
        return drawn.one((None, 1, "constant", [], {}, False))
    if kind == 1:
        return {
            "x": _expression(drawn, readable, place, result),
            "y": [1, _expression(drawn, readable, place)],
        }
    return _expression(drawn, readable, place, result)


def _finish(drawn: Drawn, state: dict[str, Any], own: list[str], place: Place, result: bool = False) -> None:
    """Output and Assign; variables assigned are added to ``own``."""
    readable = (*place.outer, *own)
    if drawn.chance(50):
        state["Output"] = _data(drawn, readable, place, result)
    if drawn.chance(35):
        names = {
            drawn.one(own) if own and drawn.chance(50) else drawn.name("v")
            for _ in range(drawn.one((1, 1, 2)))
        }
        state["Assign"] = {name: _data(drawn, readable, place, result) for name in sorted(names)}
        own.extend(name for name in sorted(names) if name not in own)


def _errors(drawn: Drawn) -> list[str]:
    return sorted({drawn.one(MATCHED) for _ in range(drawn.one((1, 1, 2)))})


def _fallible(drawn: Drawn, state: dict[str, Any], own: list[str], place: Place, later: list[str]) -> None:
    """Retry and Catch."""
    if drawn.chance(45):
        state["Retry"] = [
            {
                "ErrorEquals": _errors(drawn),
                "MaxAttempts": drawn.one((0, 1, 2)),
                "IntervalSeconds": drawn.one((1, 5)),
            }
            for _ in range(drawn.one((1, 2)))
        ]
        if drawn.chance(30):
            state["Retry"].append({"ErrorEquals": ["States.ALL"], "MaxAttempts": 1})
    if later and drawn.chance(60):
        catchers = [
            {"ErrorEquals": _errors(drawn), "Next": drawn.one(later)} for _ in range(drawn.one((0, 1)))
        ]
        catchers.append(
            {"ErrorEquals": ["States.ALL"] if drawn.chance(80) else _errors(drawn), "Next": drawn.one(later)}
        )
        for catcher in catchers:
            if drawn.chance(40):
                catcher["Output"] = drawn.one(
                    (
                        "{% $states.errorOutput.Error %}",
                        "{% $states.input %}",
                        {"e": "{% $states.errorOutput.Error %}"},
                    )
                )
            if own and drawn.chance(30):
                catcher["Assign"] = {drawn.one(own): "{% $states.errorOutput.Error %}"}
        state["Catch"] = catchers


def _task(drawn: Drawn, name: str, own: list[str], place: Place, later: list[str]) -> dict[str, Any]:
    payload = {
        "try": "{% $states.context.State.RetryCount %}",
        "in": _data(drawn, (*place.outer, *own), place),
    }
    state: dict[str, Any] = {
        "Type": "Task",
        "Resource": RESOURCE,
        "Arguments": {"FunctionName": "f", "Payload": payload},
    }
    value = drawn.one((1, "done", None, [], {"a": 2, "b": [3]}, [1, 2], {"a": "z"}))
    error = drawn.one(ERRORS)
    tries = Tries(drawn.one((1, 2, 3)), error, value)
    failing: tuple[Answer, ...] = (Fails(error, "why"), tries, tries) if place.failing else ()
    drawn.answers[name] = drawn.one((value, value, Echo(), *failing))
    _finish(drawn, state, own, place, result=True)
    _fallible(drawn, state, own, place, later)
    return state


def _choice(drawn: Drawn, own: list[str], place: Place, later: list[str], following: str) -> dict[str, Any]:
    readable = (*place.outer, *own)
    rules = []
    for _ in range(drawn.one((1, 2, 3))):
        text = drawn.one(CONDITIONS if place.failing else ("true", "false", "@ = 1", "$type(@) = 'number'"))
        while "@" in text:
            text = text.replace("@", _read(drawn, readable, place, False), 1)
        rule = {"Condition": f"{{% {text} %}}", "Next": drawn.one((following, *later))}
        if drawn.chance(30):
            rule["Output"] = _data(drawn, readable, place)
        if own and drawn.chance(30):
            rule["Assign"] = {drawn.one(own): _data(drawn, readable, place)}
        rules.append(rule)
    state: dict[str, Any] = {"Type": "Choice", "Choices": rules}
    if drawn.chance(30):
        state["Output"] = _data(drawn, readable, place)
    return {**state, "Default": following}


def _parallel(drawn: Drawn, readable: tuple[str, ...], place: Place) -> dict[str, Any]:
    count = drawn.one((1, 2, 2, 3))
    fails = drawn.draw(st.integers(0, count - 1))
    branches = [
        _block(drawn, Place(place.depth + 1, place.failing and index == fails, readable))
        for index in range(count)
    ]
    arguments = {"Arguments": _data(drawn, readable, place)} if drawn.chance(30) else {}
    return {"Type": "Parallel", "Branches": branches, **arguments}


def _map(drawn: Drawn, readable: tuple[str, ...], place: Place) -> dict[str, Any]:
    items = ["[1, 2, 3]", "[]", "['x']", "[[1], [2, 3]]"] + ["$states.input.b"] * place.failing
    state: dict[str, Any] = {"Type": "Map", "Items": f"{{% {drawn.one(items)} %}}"}
    if place.depth == 0 and drawn.chance(40):
        state |= _distributed(drawn, place)
    else:
        state["ItemProcessor"] = _block(drawn, Place(place.depth + 1, False, readable))
    if drawn.chance(40):
        item = drawn.one(("Value", "Index"))
        state["ItemSelector"] = {
            "s": f"{{% $states.context.Map.Item.{item} %}}",
            "t": _expression(drawn, readable, place),
        }
    if drawn.chance(30):
        state["MaxConcurrency"] = drawn.one((1, 2, "{% 1 + 1 %}"))
    return state


def _distributed(drawn: Drawn, place: Place) -> dict[str, Any]:
    """The fields of a distributed map; its children see no variable, and may fail, each on its own."""
    processor = _block(drawn, Place(place.depth + 1, place.failing))
    express = drawn.one(("STANDARD", "EXPRESS"))
    fields: dict[str, Any] = {
        "ItemProcessor": {**processor, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": express}}
    }
    if drawn.chance(40):
        fields["ItemBatcher"] = {"MaxItemsPerBatch": drawn.one((1, 2, "{% 1 + 1 %}"))}
    if drawn.chance(50):
        fields["ToleratedFailureCount"] = drawn.one((0, 1, 3, "{% 1 + 2 %}"))
    if drawn.chance(40):
        fields["ToleratedFailurePercentage"] = drawn.one((0, 40, 100))
    return fields


def _around(drawn: Drawn, kind: str, own: list[str], place: Place, later: list[str]) -> dict[str, Any]:
    """A Parallel or a Map."""
    readable = (*place.outer, *own)
    state = (_parallel if kind == "Parallel" else _map)(drawn, readable, place)
    _finish(drawn, state, own, place, result=True)
    _fallible(drawn, state, own, place, later)
    return state


KINDS = ("Pass", "Pass", "Task", "Task", "Task", "Choice", "Wait", "Parallel", "Map")


def _state(
    drawn: Drawn, kind: str, name: str, own: list[str], place: Place, later: list[str]
) -> dict[str, Any]:
    match kind:
        case "Task":
            return _task(drawn, name, own, place, later)
        case "Choice":
            return _choice(drawn, own, place, later[1:], later[0])
        case "Parallel" | "Map":
            return _around(drawn, kind, own, place, later)
    state: dict[str, Any] = {"Type": kind}
    if kind == "Wait":
        state["Seconds"] = drawn.one((0, 3, "{% 1 + 1 %}"))
    _finish(drawn, state, own, place)
    return state


def _block(drawn: Drawn, place: Place) -> dict[str, Any]:
    """A line of states, each of which leads to the next one and perhaps, besides, to a later one."""
    kinds = [kind for kind in KINDS if place.depth < 2 or kind not in ("Parallel", "Map")]
    chosen = [drawn.one(kinds) for _ in range(drawn.one((1, 2, 3, 4) if place.depth else (2, 3, 4, 5, 6)))]
    names = [drawn.name(kind[0].lower()) for kind in (*chosen, "End")]
    own: list[str] = []
    states: dict[str, Any] = {}
    for index, kind in enumerate(chosen):
        state = _state(drawn, kind, names[index], own, place, names[index + 1 :])
        states[names[index]] = state if kind == "Choice" else {**state, "Next": names[index + 1]}
    last = drawn.one(("Succeed", "Pass", "Pass", *(("Fail",) if place.failing and drawn.chance(40) else ())))
    states[names[-1]] = {"Type": last, **({"End": True} if last == "Pass" else {})}
    if last == "Fail":
        states[names[-1]] |= {"Error": drawn.one(ERRORS), "Cause": "c"}
    elif drawn.chance(60):
        states[names[-1]]["Output"] = _data(drawn, (*place.outer, *own), place)
    return {"StartAt": names[0], "States": states}


@st.composite
def machines(draw: st.DrawFn) -> Case:
    """A machine with its answers and one to three inputs."""
    drawn = Drawn(draw)
    block = _block(drawn, Place(0, True))
    inputs = draw(st.lists(st.sampled_from(INPUTS), min_size=1, max_size=3, unique_by=repr))
    return Case("drawn", {"QueryLanguage": "JSONata", **block}, tuple(inputs), drawn.answers)


@lru_cache
def sample(count: int) -> tuple[Case, ...]:
    """``count`` machines, always the same."""
    drawn: dict[str, Case] = {}

    @seed(3)
    @settings(
        max_examples=count * 2,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(machines())
    def take(one: Case) -> None:
        drawn.setdefault(repr(one.definition) + repr(one.answers), one)

    take()
    cases = list(drawn.values())[:count]
    return tuple(
        Case(f"drawn {index}", one.definition, one.inputs, one.answers) for index, one in enumerate(cases)
    )
