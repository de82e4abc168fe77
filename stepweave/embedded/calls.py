"""`CallReader`: which task run a call of the state machine is for, and what it is to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from stepweave.embedded.places import Place
from stepweave.engine.events import Event

TASK_RUNNER = "TaskRunner"
"""Name of the function that runs tasks, in the embedded engine."""
RENDEZVOUS = "Rendezvous"
APPROVALS = "Approvals"

LAMBDA = "lambda:invoke"
LAMBDA_AND_WAIT = "lambda:invoke.waitForTaskToken"
BATCH = "batch:submitJob.sync"
START_EXECUTION = "states:startExecution"
DISTRIBUTED = " (d)"
"""End of the names of states in the distributed copy of a map."""

CallKind = Literal[
    "task", "input", "job", "collect", "items", "batch", "replica", "undo", "approval", "nested"
]
"""
task      an attempt, and how the task ends
input     the inputs of a job are written; its failure is the task's
job       an attempt as a Batch job
collect   how the task ended whose job has ended
items     the items of a mapped task are listed
batch     several items, one after another
replica   an attempt that does not decide by itself how the task ends
undo      the compensation of a task
approval  a person is asked
nested    another DAG runs
"""


@dataclass(frozen=True, slots=True)
class TaskCall:
    """A call for a task run."""

    kind: CallKind
    task: str
    index: str = ""
    number: int = 0
    """Of a batch."""
    level: str = ""
    """Label of the rung of the task's ladder; empty for the task itself."""


class CallReader:
    """Reads the calls of one run."""

    def __init__(self, places: Mapping[str, Place], task_of_job_definition: Mapping[str, str]) -> None:
        self._places = places
        self._task_of_job_definition = task_of_job_definition

    def read(self, event: Event, before: TaskCall | None) -> TaskCall | None:
        """The call that ``event`` (``task_scheduled``) tells of; None when it is for no task.

        ``before`` is the call that the same line made before: that of a job's inputs tells the index of the job.
        """
        arguments = event.data
        if event.resource == LAMBDA and arguments["FunctionName"] == TASK_RUNNER:
            return self._invocation(arguments["Payload"])
        if event.resource == BATCH:
            task = self._task_of_job_definition.get(arguments["JobDefinition"])
            if task is None:
                return None
            same = before is not None and before.task == task
            return TaskCall("job", task, before.index if same and before is not None else "")
        if event.resource in (LAMBDA, LAMBDA_AND_WAIT) and arguments["FunctionName"] == APPROVALS:
            payload = arguments["Payload"]
            return self._known("approval", payload["task"], payload["run"].get("index", ""))
        if event.resource is not None and event.resource.startswith(START_EXECUTION):
            task = (event.state or "").removesuffix(DISTRIBUTED).partition(":")[0]
            if task in self._places and self._places[task].task.nested is not None:
                return TaskCall("nested", task, _index_in(arguments, task))
        return None

    def _invocation(self, payload: Mapping[str, Any]) -> TaskCall | None:
        index = payload["run"].get("index") or ""
        task = payload["task"]
        if payload.get("commit"):
            return None
        if "undo" in payload:
            return self._known("undo", payload["undo"]["of"], index)
        for kind in _MARKS:
            if kind in payload and payload[kind] is not None:
                return self._known(_MARKS[kind], task, index, payload)
        return self._known("task", task, index, payload)

    def _known(
        self, kind: CallKind, task: str, index: str, payload: Mapping[str, Any] | None = None
    ) -> TaskCall | None:
        if task not in self._places:  # a notice, for example, is no task
            return None
        rung = (payload or {}).get("rung") or {}
        number = int(index.rpartition("/")[2]) if kind == "batch" else 0
        return TaskCall(kind, task, index, number, str(rung.get("label") or rung.get("level") or ""))


def _index_in(arguments: Mapping[str, Any], task: str) -> str:
    """The index path of a nested DAG's node: the child's run id ends with it (``<run id>.<node>.3.0``)."""
    given = arguments.get("Input")
    run_id = str(given.get("run_id", "")) if isinstance(given, dict) else ""
    return run_id.partition(f".{task}.")[2].replace(".", "/")


_MARKS: Mapping[str, CallKind] = {
    "prepare": "input",
    "collect": "collect",
    "items": "items",
    "batch": "batch",
    "replica": "replica",
}
"""Members of an event that say what it is."""


_CONTROL_STATES = ("signal", "not run", "stopped", "wait", "ready?")
"""Ends of the names of states around a task that do nothing for it (:mod:`stepweave.asl.names`)."""


def is_further(state: str | None, task: str) -> bool:
    """Whether ``state`` does more for ``task``: such states are named after it."""
    if state is None:
        return False
    name = state.removesuffix(DISTRIBUTED)
    return name == task or (name.startswith(f"{task}: ") and name.partition(": ")[2] not in _CONTROL_STATES)


def job_began(detail: Any) -> float:
    """When the container of a job first began, in seconds since the epoch, as its description at its end says; else 0.

    The history tells of a job when it is submitted. Before it runs it waits in its queue.
    """
    said = detail if isinstance(detail, dict) else {}
    starts = [each.get("StartedAt") for each in (said, *said.get("Attempts", ()))]
    return min((start for start in starts if isinstance(start, int)), default=0) / 1000
