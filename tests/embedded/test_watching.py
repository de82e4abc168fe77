"""From the engine's events to task runs."""

import json
from typing import Any

import pytest

from stepweave.embedded.calls import BATCH
from stepweave.embedded.causes import error_message
from stepweave.embedded.places import places_of
from stepweave.embedded.taskruns import TaskRun, TaskRuns
from stepweave.embedded.watching import Watcher
from stepweave.engine.events import Event, Kind
from stepweave.graph.model import DagInfo, Graph, Task


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


def after_a_job(kind: Kind, **ended: Any) -> TaskRun:
    """The task run of a job that was submitted at second 100 and ended at second 200."""
    graph = Graph(dag=DagInfo(id="d"), tasks=(Task(id="train", call="m:f"),))
    places, clock = places_of(graph), [100.0]
    runs = TaskRuns(places, now=lambda: clock[0])
    watcher = Watcher(
        runs,
        places,
        task_of_job_definition={"JobDefinition_train": "train"},
        defer=lambda settle, line: settle(line),
    )
    where: dict[str, Any] = {"execution": "e", "machine": "d", "state": "train", "resource": BATCH}
    arguments = {"JobDefinition": "JobDefinition_train"}
    watcher(Event(kind="task_scheduled", at=clock[0], data=arguments, **where))
    clock[0] = 200.0
    watcher(Event(kind=kind, at=clock[0], **where, **ended))
    return runs.by_id["train"]


DETAIL = {"StartedAt": 180_000, "Attempts": [{"StartedAt": 160_000}, {"StatusReason": "no image"}]}
"""Of a job whose first instance was lost."""


def test_a_job_that_has_ended_says_how_long_it_was_in_its_queue() -> None:
    for run in (
        after_a_job("task_succeeded", data=DETAIL),
        after_a_job("task_failed", error="States.TaskFailed", cause=json.dumps(DETAIL)),
    ):
        assert (run.waited_seconds, run.duration_seconds) == (60.0, 40.0)


def test_a_job_that_never_began_says_nothing_of_its_queue() -> None:
    run = after_a_job("task_failed", error="States.TaskFailed", cause=json.dumps({"Attempts": []}))
    assert (run.status, run.waited_seconds) == ("failed", 0.0)
