"""`Watcher`: from the engine's events to task runs. Which state is which task follows from what the state calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from stepweave.embedded.taskruns import TaskRuns
from stepweave.engine.events import Event

TASK_RUNNER = "TaskRunner"
"""Name of the function that runs tasks, in the embedded engine."""
RENDEZVOUS = "Rendezvous"

_LAMBDA = "lambda:invoke"
_BATCH = "batch:submitJob.sync"

JobFailure = Callable[[str], tuple[str, str] | None]
"""Error class and text that a task's latest job left behind."""


class Watcher:
    """A listener of the engine that keeps task runs up to date."""

    def __init__(
        self,
        runs: TaskRuns,
        task_of_job_definition: Mapping[str, str],
        job_failure: JobFailure = lambda task: None,
    ) -> None:
        self._runs = runs
        self._job_failure = job_failure
        self._task_of_job_definition = task_of_job_definition
        self._tasks: dict[tuple[str, str | None], str] = {}
        """Task behind a state of an execution."""
        self._failing: dict[str, tuple[str, str]] = {}
        """Error of the latest attempt, until it is known whether another follows."""

    def __call__(self, event: Event) -> None:
        """Take note of ``event``."""
        match event.kind:
            case "task_scheduled":
                self._scheduled(event)
            case "task_succeeded":
                self._succeeded(event)
            case "task_failed":
                self._failed(event)
            case "task_retrying":
                self._retrying(event)
            case _:
                pass

    def _scheduled(self, event: Event) -> None:
        task = self._task_of(event)
        if task is not None:
            self._tasks[event.execution, event.state] = task
            self._runs.called(task, event.attempt)
            if event.resource == _BATCH:
                self._runs.started(task)

    def _task_of(self, event: Event) -> str | None:
        """The task that ``event``'s state runs; None for gates, signals and the inputs of jobs."""
        arguments = event.data
        if event.resource == _LAMBDA and arguments["FunctionName"] == TASK_RUNNER:
            payload = arguments["Payload"]
            if payload.get("collect"):
                return None
            if payload.get("prepare"):
                self._tasks[event.execution, event.state] = payload["task"]
                return None
            return str(payload["task"])
        if event.resource == _BATCH:
            return self._task_of_job_definition.get(arguments["JobDefinition"])
        return None

    def _succeeded(self, event: Event) -> None:
        task = self._tasks.get((event.execution, event.state))
        if task is None:
            return
        if event.resource == _BATCH:
            self._runs.succeeded(task, {})
        elif "uri" not in event.data["Payload"]:
            self._runs.succeeded(task, event.data["Payload"], reused=self._runs.by_id[task].reused)

    def _failed(self, event: Event) -> None:
        task = self._tasks.get((event.execution, event.state))
        if task is None:
            return
        error, cause = event.error or "", event.cause
        if event.resource == _BATCH:
            # AWS says of a failed job only that it failed; the job itself has left word why.
            error, cause = self._job_failure(task) or (error, cause)
        message = error_message(cause, error)
        if error == "Skip" and event.resource == _LAMBDA:
            self._runs.skipped(task, message)
        elif error == "Reused":
            self._runs.called(task, 0)
            self._runs.succeeded(task, _record(message), reused=True)
        else:
            # The engine decides about a retry before anything else happens; after that it is known.
            self._failing[task] = (error, message)
            asyncio.get_running_loop().call_soon(self._settle, task)

    def _retrying(self, event: Event) -> None:
        task = self._tasks.get((event.execution, event.state))
        if task is not None and task in self._failing:
            error, message = self._failing.pop(task)
            self._runs.failed(task, error, message, again=True)

    def _settle(self, task: str) -> None:
        failing = self._failing.pop(task, None)
        if failing is not None:
            self._runs.failed(task, *failing, again=False)


def error_message(cause: str | None, error: str = "") -> str:
    """What people should read of the cause of ``error``: type and message, or the whole text when it has another form.

    The type is left out where it is ``error`` itself.
    """
    try:
        parts = json.loads(cause or "")
    except ValueError:
        return cause or ""
    if not isinstance(parts, dict):
        return cause or ""
    if isinstance(parts.get("errorMessage"), str):  # how Lambda wraps a function's error
        return error_message(parts["errorMessage"], error)
    kind, message = parts.get("type"), parts.get("message", parts.get("StatusReason"))
    if not isinstance(message, str):
        return cause or ""
    return f"{kind}: {message}" if isinstance(kind, str) and kind != error else message


def _record(text: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
