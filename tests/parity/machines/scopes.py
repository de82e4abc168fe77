"""Machines for variables: when they are assigned, and who sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.engine.building import block
from tests.parity.cases import Case, Fails, case, passing, task
from tests.parity.machines.maps import mapping
from tests.parity.machines.parallels import FAILING, parallel
from tests.parity.machines.tasks import catcher, retrier


def seen(*names: str) -> dict[str, Any]:
    """A Pass state that shows which variables there are."""
    pairs = ", ".join(f"'{name}': $exists(${name}) ? ${name} : 'none'" for name in names)
    return passing(f"{{% {{{pairs}}} %}}")


START = ("a", passing(Assign={"x": 1}))
ASSIGNS = passing(Assign={"x": 2})


def order() -> Iterator[Case]:
    """Assign: all expressions see the state's entry values."""
    yield case(
        "assign and output see what was there before",
        ("a", passing(Assign={"x": 1})),
        ("b", passing("{% $x %}", Assign={"x": "{% $x + 1 %}"})),
        ("c", passing("{% [$x, $states.input] %}")),
    )
    yield case(
        "assigned together, none sees the other",
        ("a", passing(Assign={"x": 1, "y": 2})),
        ("b", passing(Assign={"x": "{% $y %}", "y": "{% $x %}"})),
        ("c", seen("x", "y")),
    )
    yield case(
        "a variable is not there in the state that assigns it",
        ("a", passing("{% $exists($x) %}", Assign={"x": 1})),
    )
    yield case(
        "assign sees the input and not the output",
        ("a", passing(2, Assign={"x": "{% $states.input %}"})),
        ("b", seen("x")),
        inputs=(1,),
    )
    yield case("assign that fails assigns nothing", ("a", passing(Assign={"x": 1, "y": "{% $no %}"})))
    yield case(
        "assign whole values",
        ("a", passing(Assign={"x": {"a": ["{% $states.input %}", None]}, "y": [], "z": None})),
        ("b", passing("{% [$x.a, $y, $z] %}")),
        inputs=(1,),
    )
    yield case(
        "assign over another type",
        ("a", passing(Assign={"x": {"a": 1}})),
        ("b", passing(Assign={"x": "{% $x.a %}"})),
        ("c", passing(Assign={"x": "{% [$x] %}"})),
        ("d", seen("x")),
    )


def variables() -> Iterator[Case]:
    """Names and values of variables."""
    yield case("a variable that nobody assigned", ("a", passing("{% $x %}")))
    yield case(
        "a variable that hides a function",
        ("a", passing(Assign={"count": 3})),
        ("b", passing("{% $count %}")),
        ("c", passing("{% $count([1, 2]) %}")),
    )
    yield case(
        "variables with names of all kinds",
        ("a", passing(Assign={"ü": 1, "a1_b": 2, "X": 3})),
        ("b", passing("{% $a1_b + $X %}")),
    )
    yield case(
        "a block in an expression has variables of its own",
        ("a", passing(Assign={"x": 1})),
        ("b", passing("{% ($x := 5; $y := $x + 1; $y) %}")),
        ("c", seen("x", "y")),
    )
    yield case(
        "variables stay when states are revisited",
        ("a", passing(Assign={"n": "{% $exists($n) ? $n + 1 : 1 %}"})),
        ("c", {"Type": "Choice", "Choices": [{"Condition": "{% $n < 4 %}", "Next": "a"}], "Default": "z"}),
        ("z", seen("n")),
    )
    yield case(
        "a retried task assigns once",
        ("a", passing(Assign={"n": 1})),
        ("t", task(Assign={"n": "{% $n + 1 %}"}, Retry=[retrier("E")])),
        ("z", seen("n")),
        answers={"t": (Fails("E"), Fails("E"), 1)},
    )
    yield case(
        "output and assign are all or nothing",
        ("a", passing(Assign={"n": 1})),
        ("t", task(Output="{% $no %}", Assign={"n": 2}, Catch=[catcher("States.ALL", Output="{% $n %}")])),
        ("caught", seen("n")),
    )


def scopes() -> Iterator[Case]:
    """Who sees a variable."""
    yield case("a branch reads what is outside", START, ("p", parallel(block(("b", passing("{% $x %}"))))))
    yield case(
        "what a branch assigns is gone afterwards",
        ("p", parallel(block(("b", passing(Assign={"y": 1})), ("c", passing("{% $y %}"))))),
        ("z", seen("y")),
    )
    yield case(
        "branches do not see each other",
        (
            "p",
            parallel(
                block(("b", passing(Assign={"y": 1})), ("c", seen("y"))),
                block(("d", passing()), ("e", seen("y"))),
            ),
        ),
    )
    yield case(
        "an iteration reads what is outside",
        START,
        ("m", mapping(("b", passing("{% $x + $states.input %}")))),
        inputs=([1, 2],),
    )
    yield case(
        "what an iteration assigns is gone in the next",
        (
            "m",
            mapping(("b", seen("y")), ("c", passing(Assign={"y": "{% $states.input %}"})), MaxConcurrency=1),
        ),
        ("z", seen("y")),
        inputs=([1, 2],),
    )
    yield case(
        "a selector reads variables",
        START,
        ("m", mapping(("b", passing()), ItemSelector="{% $x + $states.context.Map.Item.Value %}")),
        inputs=([1, 2],),
    )


def inner() -> Iterator[Case]:
    """What is assigned inside."""
    yield case(
        "inner scopes nest",
        START,
        (
            "p",
            parallel(
                block(
                    ("b", passing(Assign={"y": 2})),
                    ("q", parallel(block(("c", passing(Assign={"z": 3})), ("d", seen("x", "y", "z"))))),
                )
            ),
        ),
        ("e", seen("x", "y", "z")),
    )
    yield case(
        "the same name in two branches",
        (
            "p",
            parallel(
                block(("b", passing(Assign={"y": 1})), ("c", seen("y"))),
                block(("d", passing(Assign={"y": 2})), ("e", seen("y"))),
            ),
        ),
    )
    yield case(
        "a state assigns from what its branches give",
        (
            "p",
            parallel(
                block(("b", passing("{% 1 %}", Assign={"y": 1}))), Assign={"r": "{% $states.result[0] %}"}
            ),
        ),
        ("z", seen("r", "y")),
    )
    yield case(
        "a catcher assigns outside",
        ("p", parallel(FAILING, Catch=[catcher("E", Assign={"v": "{% $states.errorOutput.Error %}"})])),
        ("caught", seen("v")),
    )
    yield case(
        "a branch that is tried again starts without its variables",
        (
            "p",
            parallel(
                block(("b", seen("y")), ("c", passing(Assign={"y": 1})), ("t", task())), Retry=[retrier("E")]
            ),
        ),
        answers={"t": (Fails("E"), 1)},
    )
    yield case(
        "an outer variable changes after the branches",
        START,
        ("p", parallel(block(("b", passing("{% $x %}"))), Assign={"x": "{% $x + 1 %}"})),
        ("q", parallel(block(("c", passing("{% $x %}"))))),
    )


def outer() -> Iterator[Case]:
    """Names that are assigned inside and outside."""
    yield case("a branch assigns an outer variable", START, ("p", parallel(block(("b", ASSIGNS)))))
    yield case("an iteration assigns an outer variable", START, ("m", mapping(("b", ASSIGNS))), inputs=([1],))
    yield case(
        "a branch assigns a variable that its Parallel assigns later",
        ("p", parallel(block(("b", ASSIGNS), ("c", seen("x"))), Assign={"x": 3})),
        ("z", seen("x")),
    )
    yield case(
        "a branch assigns what is assigned only after it",
        ("p", parallel(block(("b", ASSIGNS), ("c", seen("x"))))),
        ("z", passing(Assign={"x": 5})),
        ("y", seen("x")),
    )


CASES = (*order(), *variables(), *scopes(), *inner(), *outer())
