"""`Watcher`: from the engine's events to task runs. Which state is which task follows from what the state calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

from stepweave.embedded.batches import Batches
from stepweave.embedded.calls import CallReader, TaskCall, is_further, job_began
from stepweave.embedded.causes import error_message, record_in
from stepweave.embedded.open_calls import Line, OpenCalls
from stepweave.embedded.places import Place
from stepweave.embedded.taskruns import APPROVAL, ENDED, Status, TaskRuns
from stepweave.engine.events import Event

JobFailure = Callable[[str, str], tuple[str, str] | None]
"""Error class and text that the latest job of a task (and index path) left behind."""
Expect = Callable[[str, str, int], None]
"""To be told how many items a mapped task has."""
Defer = Callable[[Callable[[Line], None], Line], None]
"""Calls a function with a line of which an attempt has failed, once it has been told what comes next."""


def next_in_loop(settle: Callable[[Line], None], line: Line) -> None:
    """Call ``settle`` next: an engine decides what comes after a failure before anything else happens."""
    asyncio.get_running_loop().call_soon(settle, line)


class Watcher:
    """A listener of the engine that keeps task runs up to date."""

    def __init__(
        self,
        runs: TaskRuns,
        places: Mapping[str, Place],
        *,
        task_of_job_definition: Mapping[str, str],
        job_failure: JobFailure = lambda task, index: None,
        expect: Expect = lambda task, index, total: None,
        defer: Defer = next_in_loop,
        starts: bool = False,
    ) -> None:
        """``starts``: an attempt runs from when the state machine says so; here, from when a worker is free for it."""
        self._defer, self._starts = defer, starts
        self._runs, self._places = runs, places
        self._job_failure, self._expect = job_failure, expect
        self._reader = CallReader(places, task_of_job_definition)
        self._batches = Batches(runs, places, job_failure)
        self._calls = OpenCalls()
        self._left: dict[Line, tuple[str, str] | None] = {}
        """How the job ended whose record a line collects; None when it succeeded."""
        self._failing: dict[Line, tuple[str, str]] = {}
        """Error of the latest attempt, until it is known whether another follows."""
        self._kept: set[Line] = set()
        """Lines with such an error that go on with a further state of the task."""

    def __call__(self, event: Event) -> None:
        """Take note of ``event``."""
        match event.kind:
            case "state_exited":
                self._state_exited(event)
            case "task_scheduled":
                self._scheduled(event)
            case "task_started" if self._starts:
                self._started(event)
            case "task_succeeded":
                self._succeeded(event)
            case "task_failed":
                self._failed(event)
            case "task_retrying":
                self._retrying(event)
            case "execution_ended":
                self._execution_ended(event)
            case _:
                pass

    # Calls.

    def _scheduled(self, event: Event) -> None:
        line = (event.execution, event.line)
        call = self._reader.read(event, self._calls.get(line))
        if call is None:
            self._calls.pop(line)
            return
        self._calls.put(line, call)
        failing = self._failing.pop(line, None)  # the task goes on
        self._kept.discard(line)
        match call.kind:
            case "collect":
                self._left[line] = failing
            case "input" | "undo":
                pass
            case "items" | "replica":
                self._runs.goes_on(call.task, call.index)
            case "batch":
                self._batches.called(call, event.attempt)
            case _:
                self._call(call, event.attempt)

    def _call(self, call: TaskCall, attempt: int) -> None:
        run = self._runs.at(call.task, call.index)
        if call.kind == "approval" and run.status == "waiting":
            return  # further people are asked
        run.level = call.level
        # Rungs and pokes are states of their own, which count their attempts from 0 again.
        again = run.attempts if attempt == 0 and run.status in ("up_for_retry", "waiting") else attempt
        self._runs.called(call.task, again, call.index)
        if call.kind in ("job", "nested"):
            self._runs.started(call.task, call.index)
        elif call.kind == "approval":
            self._runs.waits(call.task, call.index, APPROVAL)

    def _started(self, event: Event) -> None:
        call = self._calls.get((event.execution, event.line))
        if call is not None and call.kind == "task":
            self._runs.started(call.task, call.index)
        elif call is not None and call.kind == "batch":
            self._batches.started(call)

    def _succeeded(self, event: Event) -> None:
        call = self._calls.get((event.execution, event.line))
        if call is None:
            return
        answer = event.data.get("Payload") if isinstance(event.data, dict) else None
        match call.kind:
            case "job":
                self._runs.began(call.task, job_began(event.data), call.index)
                self._runs.succeeded(call.task, {}, index=call.index)
            case "items":
                self._expect(call.task, call.index, int((answer or {}).get("n", 0)))
            case "batch":
                self._batches.ended(call, str((answer or {}).get("items", "")))
            case "undo":
                self._undone(call, answer)
            case "nested":
                self._runs.succeeded(call.task, {}, index=call.index)
            case "approval":
                self._decided(call, event.data)
            case "task":
                self._answered(call, answer)
            case "collect":
                if not self._runs.at(call.task, call.index).has_ended:
                    self._answered(call, answer)
            case _:
                pass

    def _answered(self, call: TaskCall, answer: Any) -> None:
        run = self._runs.at(call.task, call.index)
        record = answer if isinstance(answer, dict) else {}
        if record.get("status") == "skipped":
            self._runs.skipped(call.task, index=call.index)
        else:
            self._runs.succeeded(call.task, record, index=call.index, reused=run.reused)

    def _undone(self, call: TaskCall, answer: Any) -> None:
        if isinstance(answer, dict) and answer.get("status") == "success":
            self._runs.at(call.task, call.index).undone = "success"
            self._runs.changed(call.task, call.index)

    def _decided(self, call: TaskCall, answer: Any) -> None:
        """A person has decided; what a rejection means is said in the DAG."""
        record = answer if isinstance(answer, dict) else {}
        approval = self._places[call.task].task.approval
        rejected = (record.get("fields") or {}).get("approved") is False
        if not rejected or approval is None or approval.on_reject == "continue":
            self._runs.succeeded(call.task, record, index=call.index)
        elif approval.on_reject == "skip":
            self._runs.skipped(call.task, "rejected", call.index)
        else:
            self._fail(call, "Rejected", "")

    # Failures.

    def _failed(self, event: Event) -> None:
        line = (event.execution, event.line)
        call = self._calls.get(line)
        if call is None:
            return
        error, cause = event.error or "", event.cause
        if call.kind == "job":
            self._runs.began(call.task, job_began(record_in(cause or "")), call.index)
            # AWS says of a failed job only that it failed; the job itself has left word why.
            error, cause = self._job_failure(call.task, call.index) or (error, cause)
        message = error_message(cause, error)
        if call.kind == "approval" and error == "States.Timeout":
            message = "nobody decided in the time that was given"
        if call.kind == "undo":
            self._runs.at(call.task, call.index).undone = "failed"
            self._runs.changed(call.task, call.index)
        elif error == "Skip" and call.kind in ("task", "collect"):
            self._runs.skipped(call.task, message, call.index)
        elif error == "Reused":
            self._runs.called(call.task, 0, call.index)
            self._runs.succeeded(call.task, record_in(message), index=call.index, reused=True)
        else:
            left = self._left.pop(line, None) if call.kind == "collect" else None
            if left is not None:
                error, message = left  # how the job ended says more than that it left no result
            self._failing[line] = (error, message)
            self._defer(self._settle_uncaught, line)

    def _settle_uncaught(self, line: Line) -> None:
        if line in self._failing and line not in self._kept:
            self._settle(line)

    def _retrying(self, event: Event) -> None:
        line = (event.execution, event.line)
        call, failing = self._calls.get(line), self._failing.pop(line, None)
        if call is not None and failing is not None:
            self._try_again(call, *failing)

    def _settle(self, line: Line) -> None:
        """The latest failure of a line was for good."""
        self._kept.discard(line)
        failing, call = self._failing.pop(line, None), self._calls.pop(line)
        if failing is not None and call is not None:
            self._fail(call, *failing)

    def _go_on(self, line: Line, following: str | None) -> None:
        """A line whose task failed goes on with ``following``; a further state of the task may mend the failure."""
        call = self._calls.get(line)
        if call is None or not is_further(following, call.task):
            self._settle(line)
        elif line not in self._kept:
            self._kept.add(line)
            self._try_again(call, *self._failing[line])

    def _try_again(self, call: TaskCall, error: str, message: str) -> None:
        if call.kind in ("batch", "job", "approval"):
            return  # a collect or an escalation follows
        if error in ("NotYet", "RetryAfter"):
            self._runs.waits(call.task, call.index, message)
        else:
            self._runs.failed(call.task, error, message, again=True, index=call.index)

    def _fail(self, call: TaskCall, error: str, message: str) -> None:
        if call.kind == "batch":
            self._batches.failed(call, error, message)
        elif call.kind == "replica" or self._has_twin(call):
            return
        elif self._places[call.task].task.optional and not self._is_item(call):
            self._runs.skipped(call.task, message, call.index, error)
        else:
            self._runs.failed(call.task, error, message, again=False, index=call.index)

    def _has_twin(self, call: TaskCall) -> bool:
        """Whether a second attempt beside this one still goes on."""
        hedged = self._places[call.task].task.hedge_seconds is not None
        return hedged and self._calls.is_called_for(call.task, call.index)

    def _is_item(self, call: TaskCall) -> bool:
        place = self._places[call.task]
        return place.is_many and call.kind == "task"

    # What the machine says itself.

    def _state_exited(self, event: Event) -> None:
        line = (event.execution, event.line)
        said = event.data if isinstance(event.data, dict) else {}
        node = said.get("node", said.get("condition"))
        is_told = isinstance(node, str) and node in self._places
        if line in self._failing:
            call = self._calls.get(line)
            if is_told and call is not None and call.task == node:
                # What the failure comes to is said here, for example that silence is a skip.
                run = self._runs.at(call.task, call.index)
                run.error, run.message = self._failing.pop(line)
                self._kept.discard(line)
            else:
                self._go_on(line, event.following)
        if is_told:
            self._told(str(node), said)

    def _told(self, node: str, said: Mapping[str, Any]) -> None:
        """The machine says how a node ended, or what a condition chose."""
        index = str(said.get("index") or "")
        run = self._runs.at(node, index)
        chosen = said.get("chosen")
        if isinstance(chosen, list):
            run.chosen = tuple(map(str, chosen))
        status = said.get("status", "success")
        if status in ENDED and run.status != status:
            if run.attempts == 0:
                self._runs.called(node, 0, index)
            loop, rounds = self._places[node].task.loop, run.items
            if loop is not None and status == "failed" and rounds is not None and not rounds.failed:
                run.error, run.message = (
                    "LoopExhausted",
                    f"until did not hold after {loop.max_rounds:,} rounds",
                )
            self._runs.ended_as(node, cast(Status, status), index)

    def _execution_ended(self, event: Event) -> None:
        """What a line had failed with when its execution ended was for good."""
        for line in [line for line in self._failing if line[0] == event.execution]:
            self._settle(line)
        self._calls.end(event.execution)
