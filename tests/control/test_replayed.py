"""Machines of drawn graphs do in sfnx what they do in our engine: same calls, same states entered, same end."""

from __future__ import annotations

from hypothesis import given, seed, settings

from tests.control.drawing import EVERYTHING, Drawn, drawn_runs
from tests.control.replaying import Recording, disagreements
from tests.control.running import run_drawn

WITHOUT_RACES = EVERYTHING - {"copies"}
"""Of attempts side by side the first to succeed ends the others; where one runs after the other, nobody is first."""


@seed(11)
@settings(max_examples=250, deadline=None, database=None)
@given(drawn=drawn_runs(WITHOUT_RACES))
def test_drawn_runs_do_the_same_in_an_interpreter_written_by_others(drawn: Drawn) -> None:
    recording = Recording()
    ran = run_drawn(drawn, recording.listen)
    assert disagreements(ran.compiled, drawn.params, recording, ran.execution) == []
