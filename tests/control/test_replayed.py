"""Machines of drawn graphs do in sfnx what they do in our engine: same calls, same states entered, same end."""

from __future__ import annotations

import pytest
from hypothesis import given, seed, settings

from tests.control.constructing import condition, inside, over, run_of, task
from tests.control.drawing import EVERYTHING, Drawn, drawn_runs
from tests.control.replaying import Recording, disagreements
from tests.control.running import run_drawn
from tests.reference.worlds import World

WITHOUT_RACES = EVERYTHING - {"copies", "speculations"}
"""Of attempts side by side the first to succeed ends the others, and a decision ends what began on suspicion; where one
branch runs after the other, nobody is first."""


def replayed(drawn: Drawn, changed: tuple[str, str] = ("", "")) -> list[str]:
    """What is different in sfnx, which may get machines with one part changed."""
    recording = Recording()
    ran = run_drawn(drawn, recording.listen)
    return disagreements(ran.compiled, drawn.params, recording, ran.execution, changed)


@seed(11)
@settings(max_examples=250, deadline=None, database=None)
@given(drawn=drawn_runs(WITHOUT_RACES))
def test_drawn_runs_do_the_same_in_an_interpreter_written_by_others(drawn: Drawn) -> None:
    assert replayed(drawn) == []


@pytest.mark.parametrize(
    "changed",
    [
        ('= \\"if\\"', '= \\"elif_1\\"'),
        ("m: verdict", "m: other"),
        ("RetryCount", "RetryCount + 1"),
        ("$failed > 1", "$failed > 0"),
    ],
    ids=lambda changed: changed[0],
)
def test_a_difference_is_seen(changed: tuple[str, str]) -> None:
    drawn = run_of(
        condition("if", "if"),
        task("a", **inside("if", "if")),
        task("m", "a", **over(2, tolerated_count=1)),
        task("b", "m"),
        world=World({("m", (1,)): ("DataError",)}, choices={("if", ()): ("if",)}),
    )
    assert replayed(drawn) == []
    assert replayed(drawn, changed) != []
