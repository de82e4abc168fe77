"""Causes as people read them, and hints."""

from __future__ import annotations

import json

import pytest

from stepweave.standalone.causes import message_and_trace
from stepweave.standalone.hints import hint_for

RAISED = json.dumps(
    {"errorMessage": "no funds", "errorType": "E", "stackTrace": ["  line 1\n", "  line 2\n"]}
)


@pytest.mark.parametrize(
    "cause, message, trace",
    [
        (RAISED, "no funds", "  line 1\n  line 2\n"),
        ('{"errorMessage": "no funds"}', "no funds", ""),
        ('{"errorMessage": 1}', '{"errorMessage": 1}', ""),
        ('{"Status": "FAILED"}', '{"Status": "FAILED"}', ""),
        ("[1]", "[1]", ""),
        ("plain { text", "plain { text", ""),
        ("[" * 100_000, "[" * 100_000, ""),
        ("", "", ""),
    ],
)
def test_the_cause_of_a_functions_exception_is_its_message_and_where_it_was_raised(
    cause: str, message: str, trace: str
) -> None:
    assert message_and_trace(cause) == (message, trace)


def test_errors_of_step_functions_have_hints_and_those_of_users_have_none() -> None:
    hint = hint_for("States.DataLimitExceeded")
    assert hint is not None
    assert "256 KiB" in hint
    assert hint_for("CardDeclined") is None
    assert hint_for(None) is None
