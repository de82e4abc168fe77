"""Which task run a call of the state machine is for."""

from typing import Any

import pytest

from stepweave.embedded.calls import (
    APPROVALS,
    BATCH,
    LAMBDA,
    LAMBDA_AND_WAIT,
    RENDEZVOUS,
    TASK_RUNNER,
    CallReader,
    TaskCall,
    is_further,
)
from stepweave.embedded.open_calls import OpenCalls
from stepweave.embedded.places import places_of
from stepweave.engine.events import Event
from stepweave.graph.constructs import NestedDag
from stepweave.graph.model import DagInfo, Graph, Task

GRAPH = Graph(
    dag=DagInfo(id="d"),
    tasks=(Task(id="t", call="m:f"), Task(id="n", call="", nested=NestedDag(dag="x", call="m:x", params=()))),
)


def read(
    resource: str, arguments: dict[str, Any], state: str = "t", before: TaskCall | None = None
) -> TaskCall | None:
    reader = CallReader(places_of(GRAPH), {"JobDefinition_t": "t"})
    event = Event(
        kind="task_scheduled",
        at=0,
        execution="e",
        machine="d",
        state=state,
        resource=resource,
        data=arguments,
    )
    return reader.read(event, before)


def invoked(function: str = TASK_RUNNER, index: str = "", **marks: Any) -> dict[str, Any]:
    run = {"dag": "d", "id": "r", **({"index": index} if index else {})}
    return {"FunctionName": function, "Payload": {"task": "t", "run": run, **marks}}


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (invoked(), TaskCall("task", "t")),
        (invoked(index="3/0"), TaskCall("task", "t", "3/0")),
        (invoked(rung={"level": 1, "label": "60 GiB"}), TaskCall("task", "t", level="60 GiB")),
        (invoked(prepare=True), TaskCall("input", "t")),
        (invoked(collect=True), TaskCall("collect", "t")),
        (invoked(items={"how": "zip"}), TaskCall("items", "t")),
        (invoked(index="1/4", batch=10), TaskCall("batch", "t", "1/4", 4)),
        (invoked(replica=2), TaskCall("replica", "t")),
        (invoked(undo={"of": "t"}), TaskCall("undo", "t")),
        (invoked(quorum={"of": 3, "need": 2}), TaskCall("task", "t")),
        (invoked(commit=["t"]), None),
        (invoked(RENDEZVOUS), None),
        ({"FunctionName": TASK_RUNNER, "Payload": {"task": "on_failure", "run": {}, "notice": {}}}, None),
    ],
)
def test_what_an_invocation_is_follows_from_its_event(
    arguments: dict[str, Any], expected: TaskCall | None
) -> None:
    assert read(LAMBDA, arguments) == expected


def test_a_job_has_the_index_of_its_inputs() -> None:
    job = {"JobDefinition": "JobDefinition_t"}
    assert read(BATCH, job) == TaskCall("job", "t")
    assert read(BATCH, job, before=TaskCall("input", "t", "5")) == TaskCall("job", "t", "5")
    assert read(BATCH, {"JobDefinition": "other"}) is None


def test_approvals_and_dags_inside_are_calls_too() -> None:
    assert read(LAMBDA_AND_WAIT, invoked(APPROVALS, "2")) == TaskCall("approval", "t", "2")
    assert read(LAMBDA, invoked(APPROVALS, decide="reject")) == TaskCall("approval", "t")
    start = {"StateMachineArn": "x", "Input": {"run_id": "r.n.3.0"}}
    assert read("states:startExecution.sync:2", start, state="n") == TaskCall("nested", "n", "3/0")
    assert read("states:startExecution.sync:2", start, state="part 1") is None


@pytest.mark.parametrize(
    "state, expected",
    [
        ("t: later", True),
        ("t", True),
        ("t: level 1 (d)", True),
        ("t: signal", False),
        ("t: stopped", False),
        ("t2", False),
        (None, False),
    ],
)
def test_further_states_of_a_task_are_named_after_it(state: str | None, expected: bool) -> None:
    assert is_further(state, "t") is expected


def test_calls_are_found_by_line_by_execution_and_by_task_run() -> None:
    calls = OpenCalls()
    calls.put(("e", 0), TaskCall("task", "t", "1"))
    calls.put(("e", 1), TaskCall("task", "t", "1"))
    assert calls.pop(("e", 0)) == TaskCall("task", "t", "1")
    assert calls.get(("e", 0)) is None
    assert calls.is_called_for("t", "1")
    calls.end("e")
    assert not calls.is_called_for("t", "1")
    assert calls.pop(("other", 0)) is None
