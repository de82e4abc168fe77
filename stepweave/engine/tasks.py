"""One attempt of a Task state: its arguments, its integration, its time limits and its events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from stepweave.engine import payload
from stepweave.engine.execution import Execution
from stepweave.engine.failures import HEARTBEAT_TIMEOUT, QUERY_EVALUATION_ERROR, TIMEOUT, StateError
from stepweave.engine.frame import Frame, Run
from stepweave.engine.integrations.base import TOKEN_SUFFIX, Call, Integration, StartMachine
from stepweave.engine.machine import Task
from stepweave.engine.templates import Template
from stepweave.engine.tokens import Tokens

_TOKENED = (TOKEN_SUFFIX, ".sync", ".sync:2")
"""Resources whose task has a token; of the last two nothing outside can use it."""


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

    async def run(self, frame: Frame, state: Task) -> Any:
        """The result of one attempt; raises ``StateError``."""
        history = self._run.execution.history
        integration = self._integrations[state]
        if state.resource.endswith(_TOKENED):
            frame.token = f"{self._run.generator.getrandbits(128):032x}"
        arguments = frame.input if state.arguments is None else frame.evaluate(state.arguments)
        payload.check(arguments, f"The arguments of the state {frame.state.name!r}")
        timeout = _seconds(frame, state.timeout_seconds, "TimeoutSeconds")
        heartbeat = _seconds(frame, state.heartbeat_seconds, "HeartbeatSeconds")
        resource = state.resource
        limits = (timeout, heartbeat)
        scheduled = history.record("TaskScheduled", frame.last_event, resource, arguments, limits)
        frame.last_event = history.record("TaskStarted", scheduled, resource)
        if self._run.listeners:
            frame.tell("task_scheduled", resource=resource, data=arguments)
            frame.tell("task_started", resource=resource, data=arguments)
        try:
            async with asyncio.timeout(timeout) as deadline:
                result = await self._call(integration, frame, state, arguments, heartbeat, scheduled)
            value, inexact = payload.accept(result, f"The result of the state {frame.state.name!r}")
        except TimeoutError as error:
            if not deadline.expired():
                raise
            cause = f"The task did not end within {timeout:g} seconds."
            raise self._failed(frame, "TaskTimedOut", StateError(TIMEOUT, cause), resource) from error
        except StateError as error:
            kind = "TaskTimedOut" if error.error in (TIMEOUT, HEARTBEAT_TIMEOUT) else "TaskFailed"
            raise self._failed(frame, kind, error, resource) from error.__cause__
        self._run.inexact |= inexact
        frame.last_event = history.record("TaskSucceeded", frame.last_event, resource, value)
        if self._run.listeners:
            frame.tell("task_succeeded", resource=resource, data=value)
        return value

    async def _call(
        self,
        integration: Integration,
        frame: Frame,
        state: Task,
        arguments: Any,
        heartbeat: float | None,
        event: int,
    ) -> Any:
        history = self._run.execution.history

        def submitted(answer: Any) -> None:
            value, _ = payload.accept(answer, "The answer of the submission")
            frame.last_event = history.record("TaskSubmitted", frame.last_event, state.resource, value)

        call = Call(
            resource=state.resource,
            target=state.target,
            arguments=arguments,
            token=frame.token,
            execution=self._run.execution,
            state=state.name,
            submitted=submitted,
            run_machine=self._run_machine,
            start_machine=self._start_machine,
            name=f"{self._run.execution.name}-{event}",
            now=self._run.now,
        )
        token = frame.token
        if token is None or integration.fake or not state.resource.endswith(TOKEN_SUFFIX):
            return await integration.run(call)
        self._tokens.open(token, heartbeat)
        try:
            submitted(await integration.run(call))
            return await self._tokens.wait(token)
        finally:
            self._tokens.close(token)

    def _failed(self, frame: Frame, kind: str, error: StateError, resource: str) -> StateError:
        """``error``, recorded."""
        data = (error.error, error.cause)
        frame.last_event = self._run.execution.history.record(kind, frame.last_event, resource, data)
        if self._run.listeners:
            frame.tell("task_failed", resource=resource, error=error.error, cause=error.cause)
        return error


def _seconds(frame: Frame, template: Template | None, field: str) -> float | None:
    if template is None:
        return None
    value = frame.evaluate(template)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise StateError(QUERY_EVALUATION_ERROR, f"{field} must be a positive number, got {value!r}")
    return float(value)
