"""One attempt of a Task state: its arguments, its integration, its time limits and its events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from stepweave.engine import payload
from stepweave.engine.execution import Execution
from stepweave.engine.failures import DATA_LIMIT_EXCEEDED, TIMEOUT, StateError
from stepweave.engine.frame import Frame
from stepweave.engine.history import ANSWER_NOTE
from stepweave.engine.history_events import service_and_call
from stepweave.engine.integrations.base import TOKEN_SUFFIX, Call, Integration, StartMachine
from stepweave.engine.jsonata import UNDEFINED
from stepweave.engine.machine import Task
from stepweave.engine.positions import Attempt, Position
from stepweave.engine.run import Run
from stepweave.engine.templates import Template
from stepweave.engine.tokens import Tokens

_TOKENED = (TOKEN_SUFFIX, ".sync", ".sync:2")
"""Resources whose task has a token; of the last two nothing outside can use it."""
ACTIVITY = "activity"
FUNCTION = "lambda:function"
_FAMILIES = {ACTIVITY: "Activity", FUNCTION: "LambdaFunction"}
"""How the types of a task's events begin, where not with ``Task``."""


class TaskRunner:
    """Runs the Task states of one execution."""

    def __init__(
        self,
        run: Run,
        integrations: Mapping[Task, Integration],
        tokens: Tokens,
        run_machine: Callable[..., Awaitable[Execution]],
        start_machine: StartMachine,
    ) -> None:
        self._run = run
        self._integrations = integrations
        self._tokens = tokens
        self._run_machine = run_machine
        self._start_machine = start_machine

    async def run(self, frame: Frame, state: Task, position: Position | None) -> Any:
        """The result of one attempt; raises ``StateError``."""
        if position is not None and position.result is not UNDEFINED:
            return position.result
        attempt = position.attempt if position is not None else None
        family = _FAMILIES.get(state.resource, "Task")
        if attempt is None:
            attempt = self._schedule(frame, state, family)
        frame.token = attempt.token
        name = state.target or state.resource
        if family != "Activity" and not attempt.started:
            frame.record(f"{family}Started", None, None, name)
        try:
            value = await self._in_time(
                self._limit(state, attempt), self._result(frame, state, attempt, family)
            )
        except StateError as error:
            kind = "TimedOut" if error.error == TIMEOUT else "Failed"
            raise self._failed(frame, f"{family}{kind}", error, state, name) from error.__cause__
        frame.record(f"{family}Succeeded", value, None, name)
        self._run.flush()
        if self._run.listeners:
            frame.tell("task_succeeded", resource=state.resource, data=value)
        return value

    def _schedule(self, frame: Frame, state: Task, family: str) -> Attempt:
        """A new attempt, recorded."""
        if state.resource.endswith(_TOKENED) or state.resource == ACTIVITY:
            frame.token = f"{self._run.generator.getrandbits(128):032x}"
        arguments = frame.input if state.arguments is None else frame.evaluate(state.arguments)
        payload.check(arguments, state.name)
        timeout = _seconds(frame, state.timeout_seconds, "TimeoutSeconds")
        heartbeat = _seconds(frame, state.heartbeat_seconds, "HeartbeatSeconds")
        name = state.target or state.resource
        scheduled = frame.record(f"{family}Scheduled", arguments, (timeout, heartbeat, frame.token), name)
        if self._run.listeners:
            frame.tell("task_scheduled", resource=state.resource, data=arguments)
            frame.tell("task_started", resource=state.resource, data=arguments)
        return Attempt(
            scheduled=scheduled,
            at=self._run.now(),
            arguments=arguments,
            timeout_seconds=timeout,
            heartbeat_seconds=heartbeat,
            token=frame.token,
        )

    async def _in_time(self, seconds: float | None, result: Awaitable[Any]) -> Any:
        """``result``; raises ``States.Timeout``, to which AWS gives no cause, when the attempt's time is up."""
        if seconds is None:
            return await result
        try:
            async with asyncio.timeout(seconds) as deadline:
                return await result
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise StateError(TIMEOUT) from error

    def _limit(self, state: Task, attempt: Attempt) -> float | None:
        """Seconds until the attempt's time is up; some of it may have passed before the execution was left."""
        if attempt.timeout_seconds is None or self._integrations[state].keeps_time(state.resource):
            return None
        passed = max(0.0, self._run.now() - attempt.at)  # never less than none: clocks are set back
        return max(0.0, attempt.timeout_seconds - passed)

    async def _result(self, frame: Frame, state: Task, attempt: Attempt, family: str) -> Any:
        """What the task answers, as JSON data."""
        result = await self._call(frame, state, attempt, family)
        try:
            value, inexact = payload.accept(result, state.target or service_and_call(state.resource)[0])
        except StateError as error:
            # Of all data that may be too large only this is caught by States.ALL (recorded on AWS: docs/parity.md).
            raise StateError(
                error.error, error.cause, "result" if error.error == DATA_LIMIT_EXCEEDED else ""
            ) from error
        self._run.inexact |= inexact
        return value

    async def _call(self, frame: Frame, state: Task, attempt: Attempt, family: str) -> Any:
        integration = self._integrations[state]
        token = attempt.token
        call = self._call_of(frame, state, attempt, family)
        self._run.flush()  # what the call does outside must not be ahead of what is known of it here
        waits = state.resource.endswith(TOKEN_SUFFIX) or family == "Activity"
        if token is None or integration.fake or not waits:
            return await integration.run(call)
        if attempt.answer is not None:
            self._tokens.closed((token,))
            return _answered(attempt.answer)

        def note(answer: tuple[Any, ...]) -> None:
            self._run.execution.history.note(ANSWER_NOTE, answer, frame.line)
            self._run.flush()

        self._tokens.open(token, note)
        try:
            if not attempt.submitted:
                call.submitted(await integration.run(call))
                self._run.flush()
            self._tokens.set_heartbeat(token, attempt.heartbeat_seconds)
            return await self._tokens.wait(token)
        finally:
            self._tokens.close(token)

    def _call_of(self, frame: Frame, state: Task, attempt: Attempt, family: str) -> Call:
        def submitted(answer: Any) -> None:
            if attempt.submitted:
                return  # recorded before the execution was left
            value, _ = payload.accept(answer, service_and_call(state.resource)[0])
            kind = "ActivityStarted" if family == "Activity" else f"{family}Submitted"
            frame.record(kind, value, None, state.target or state.resource)

        return Call(
            resource=state.resource,
            target=state.target,
            arguments=attempt.arguments,
            token=attempt.token,
            execution=self._run.execution,
            state=state.name,
            submitted=submitted,
            run_machine=self._run_machine,
            start_machine=self._start_machine,
            name=f"{self._run.execution.name}-{attempt.scheduled}",
            now=self._run.now,
            timeout_seconds=attempt.timeout_seconds,
        )

    def _failed(self, frame: Frame, kind: str, error: StateError, state: Task, name: str) -> StateError:
        """``error``, recorded."""
        frame.record(kind, (error.error, error.cause), error.kind, name)
        self._run.flush()
        if self._run.listeners:
            frame.tell("task_failed", resource=state.resource, error=error.error, cause=error.cause)
        return error


def _answered(answer: tuple[Any, ...]) -> Any:
    """What a token was sent back with before the execution was left."""
    if len(answer) == 1:
        return answer[0]
    raise StateError(*answer)


def _seconds(frame: Frame, template: Template | None, field: str) -> int | None:
    if template is None:
        return None
    value = frame.evaluate(template)
    if not payload.is_whole(value, 1):
        text = payload.to_text(value)
        raise frame.failed_evaluation(field, f"{field} must be a whole number from 1, got {text}")
    return int(value)
