"""Machines for inline Map: items, iterations, their results and failures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.engine.building import block
from tests.parity.cases import Case, Fails, case, passing, task
from tests.parity.machines.parallels import parallel
from tests.parity.machines.tasks import CAUGHT, catcher, retrier


def mapping(*states: tuple[str, dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """A Map state whose iterations run ``states``."""
    return {"Type": "Map", "ItemProcessor": block(*states), **fields}


ITEM = ("i", passing("{% $states.input %}"))
CALLED = ("t", task("{% $states.input %}"))


def iterations() -> Iterator[Case]:
    """Inline Map states."""
    for name, value in {
        "items": [1, 2, 3],
        "one item": [7],
        "no items": [],
        "items of all kinds": [None, "x", {}, [], False, [1, [2]]],
    }.items():
        yield case(
            f"map over {name}", ("m", mapping(ITEM, Items="{% $states.input.xs %}")), inputs=({"xs": value},)
        )
        yield case(f"map over its input, {name}", ("m", mapping(ITEM)), ("b", passing()), inputs=(value,))
    yield case(
        "map over an array in the definition",
        ("m", mapping(ITEM, Items=[1, "{% 1 + 1 %}", {"a": "{% $states.input %}"}])),
        inputs=(5,),
    )
    for name, expression in {
        "an object": "{'a': 1}",
        "text": "'abc'",
        "a number": "3",
        "null": "null",
        "undefined": "$states.input.no",
    }.items():
        yield case(f"map over {name}", ("m", mapping(ITEM, Items=f"{{% {expression} %}}")))
    for name, value in {"an object": {"a": 1}, "a number": 3, "null": None}.items():
        yield case(f"map over its input, {name}", ("m", mapping(ITEM)), inputs=(value,))
    yield case(
        "map items of a failed expression are caught",
        ("m", mapping(ITEM, Items="{% {} %}", Catch=[catcher("States.QueryEvaluationError", Output=1)])),
        CAUGHT,
    )


def selected() -> Iterator[Case]:
    """Maps with ItemSelector and MaxConcurrency."""
    selector = {
        "i": "{% $states.context.Map.Item.Index %}",
        "v": "{% $states.context.Map.Item.Value %}",
        "all": "{% $states.input.n %}",
        "s": "{% $states.context.State.Name %}",
    }
    yield case(
        "map with a selector",
        ("m", mapping(ITEM, Items="{% $states.input.xs %}", ItemSelector=selector)),
        inputs=({"xs": ["a", None], "n": 9},),
    )
    yield case(
        "map with a selector that is one expression",
        ("m", mapping(ITEM, ItemSelector="{% $states.context.Map.Item.Value * 2 %}")),
        inputs=([1, 2],),
    )
    yield case("map with a constant selector", ("m", mapping(ITEM, ItemSelector={"k": 1})), inputs=([1, 2],))
    yield case(
        "map whose selector fails",
        (
            "m",
            mapping(
                ITEM,
                ItemSelector="{% $states.context.Map.Item.Value.no %}",
                Catch=[catcher("States.ALL", Output="{% $states.errorOutput.Error %}")],
            ),
        ),
        CAUGHT,
        inputs=([1], []),
    )
    for name, limit in {"1": 1, "2": 2, "0": 0, "an expression": "{% 1 + 1 %}"}.items():
        yield case(
            f"map with a concurrency of {name}",
            ("m", mapping(("t", task("{% $states.input %}")), MaxConcurrency=limit)),
            inputs=([3, 1, 2],),
        )


def nested_iterations() -> Iterator[Case]:
    """Maps around states of other kinds, and what follows from their results."""
    yield case(
        "map with output and assign",
        ("m", mapping(ITEM, Output="{% $sum($states.result) %}", Assign={"r": "{% $states.result %}"})),
        ("b", passing("{% [$states.input, $r] %}")),
        inputs=([1, 2],),
    )
    yield case(
        "map with a mode",
        ("m", {"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **block(ITEM)}}),
        inputs=([1],),
    )
    yield case(
        "map in map",
        ("m", mapping(("n", mapping(("i", passing("{% $states.input + 1 %}")))))),
        inputs=([[1, 2], [], [3]],),
    )
    yield case(
        "parallel in map",
        ("m", mapping(("p", parallel(block(ITEM), block(("j", passing("j"))))))),
        inputs=([1, 2],),
    )
    yield case(
        "map in parallel",
        ("p", parallel(block(("m", mapping(ITEM))), block(("j", passing("j"))))),
        inputs=([1, 2],),
    )
    yield case(
        "map of several states",
        (
            "m",
            mapping(
                (
                    "c",
                    {
                        "Type": "Choice",
                        "Choices": [{"Condition": "{% $states.input > 1 %}", "Next": "t"}],
                        "Default": "e",
                    },
                ),
                ("t", task("{% $states.input %}", End=True)),
                ("e", {"Type": "Succeed", "Output": "small"}),
            ),
        ),
        inputs=([1, 2, 3],),
    )


def failed_iterations() -> Iterator[Case]:
    """Inline Map states of which an iteration fails."""
    yield case(
        "an iteration that fails fails the map",
        ("m", mapping(CALLED)),
        inputs=([1],),
        answers={"t": Fails("E")},
    )
    yield case(
        "the last iteration fails",
        ("m", mapping(CALLED, MaxConcurrency=1, Catch=[catcher("E", Output="{% $states.errorOutput %}")])),
        CAUGHT,
        inputs=([1, 2, 3],),
        answers={"t 3": Fails("E")},
    )
    yield case(
        "the first iteration fails",
        ("m", mapping(CALLED, MaxConcurrency=1, Catch=[catcher("E")])),
        CAUGHT,
        inputs=([1, 2, 3],),
        answers={"t 1": Fails("E")},
    )
    yield case(
        "an iteration catches",
        (
            "m",
            mapping(
                ("t", task("{% $states.input %}", Catch=[catcher("E", to="u")], End=True)),
                ("u", passing("caught")),
            ),
        ),
        inputs=([1, 2, 3],),
        answers={"t 2": Fails("E")},
    )
    yield case(
        "an iteration tries again",
        ("m", mapping(("t", task("{% $states.input %}", Retry=[retrier("E")])))),
        inputs=([1, 2],),
        answers={"t 2": (Fails("E"), "two")},
    )


def repeated_iterations() -> Iterator[Case]:
    """Maps that are tried again."""
    yield case(
        "map is tried again",
        ("m", mapping(CALLED, MaxConcurrency=1, Retry=[retrier("E")])),
        inputs=([1, 2],),
        answers={"t 2": (Fails("E"), "two")},
    )
    yield case(
        "map is tried again with its retry count",
        ("m", mapping(CALLED, ItemSelector="{% $states.context.State.RetryCount %}", Retry=[retrier("E")])),
        inputs=([1],),
        answers={"t 0": Fails("E")},
    )
    yield case(
        "a Fail in an iteration",
        (
            "m",
            mapping(
                ("f", {"Type": "Fail", "Error": "{% 'E' & $states.input %}", "Cause": "c"}),
                Catch=[catcher("E1", Output="{% $states.errorOutput %}")],
            ),
        ),
        CAUGHT,
        inputs=([1],),
    )
    yield case(
        "a failed expression in an iteration",
        (
            "m",
            mapping(
                ("i", passing("{% $states.input.no %}")),
                Catch=[catcher("States.ALL", Output="{% $states.errorOutput.Error %}")],
            ),
        ),
        CAUGHT,
        inputs=([1], []),
    )
    yield case(
        "map whose output fails is tried again",
        ("m", mapping(CALLED, Output="{% $states.result[0].v %}", Retry=[retrier("States.ALL")])),
        inputs=([1],),
        answers={"t": ({}, {"v": 1})},
    )


CASES = (*iterations(), *selected(), *nested_iterations(), *failed_iterations(), *repeated_iterations())
