"""From the engine's events to task runs."""

import json

import pytest

from stepweave.embedded.causes import error_message


@pytest.mark.parametrize(
    "cause, error, text",
    [
        (None, "X", ""),
        ("plain text", "X", "plain text"),
        ("[1]", "X", "[1]"),
        (
            json.dumps({"type": "KeyError", "message": "'x'", "traceback": "…"}),
            "TransientError",
            "KeyError: 'x'",
        ),
        (json.dumps({"type": "DataError", "message": "no rows"}), "DataError", "no rows"),
        (
            json.dumps({"errorMessage": json.dumps({"type": "A", "message": "b"}), "errorType": "A"}),
            "B",
            "A: b",
        ),
        (json.dumps({"Status": "FAILED", "StatusReason": "out of time"}), "States.TaskFailed", "out of time"),
        (
            json.dumps(
                {
                    "Error": "DagRunFailed",
                    "Cause": "failed: load",
                    "ExecutionArn": "arn:aws:states:local:000000000000:execution:inner:r1-5",
                    "StateMachineArn": "arn:aws:states:local:000000000000:stateMachine:inner",
                }
            ),
            "States.TaskFailed",
            "inner: failed: load",
        ),
        (
            json.dumps({"ExecutionArn": "arn:aws:states:x:0:execution:inner:r1-5", "Status": "TIMED_OUT"}),
            "States.TaskFailed",
            "inner: TIMED_OUT",
        ),
        (json.dumps({"by": ["a"]}), "UpstreamFailed", '{"by": ["a"]}'),
    ],
)
def test_a_cause_is_told_as_people_read_it(cause: str | None, error: str, text: str) -> None:
    assert error_message(cause, error) == text
