"""Machines about sizes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.parity.cases import Case, case, passing, task
from tests.parity.machines.maps import mapping
from tests.parity.machines.tasks import CAUGHT, catcher

MOST = 262_144 - 2
"""Characters of a text whose JSON has 256 KiB."""


def sizes() -> Iterator[Case]:
    """As much as there may be."""
    yield case(
        "an output of 256 KiB",
        ("a", passing(f"{{% $pad('', {MOST}, 'x') %}}")),
        ("b", passing("{% $length($states.input) %}")),
    )
    yield case(
        "a variable of 256 KiB",
        ("a", passing(1, Assign={"x": f"{{% $pad('', {MOST}, 'x') %}}"})),
        ("b", passing("{% $length($x) %}")),
    )
    yield case("an input of 256 KiB", ("b", passing("{% $length($states.input) %}")), inputs=("x" * MOST,))
    yield case(
        "arguments and a result of 256 KiB",
        ("t", task("{% $pad('', 200000, 'x') %}")),
        ("b", passing("{% $length($states.input) %}")),
    )
    yield case(
        "a hundred states",
        *((f"s{number}", passing("{% $states.input + 1 %}")) for number in range(100)),
        inputs=(0,),
    )
    yield case(
        "a map over a hundred items",
        ("m", mapping(("t", task("{% $states.input %}")))),
        inputs=(list(range(100)),),
    )
    yield case(
        "a loop of a hundred rounds",
        ("a", passing("{% $states.input + 1 %}")),
        (
            "c",
            {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input < 100 %}", "Next": "a"}],
                "Default": "z",
            },
        ),
        ("z", passing()),
        inputs=(0,),
    )
    yield case(
        "a caught data limit by name", ("t", task(Catch=[catcher("States.DataLimitExceeded")])), CAUGHT
    )


CASES = tuple(sizes())
