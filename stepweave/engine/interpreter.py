"""The interpreter: one machine, one execution, one `match` over state types.

A block runs in a loop, not by recursion, so a chain may be as long as it likes. Branches and iterations are asyncio
tasks with a :class:`~stepweave.engine.frame.Frame` each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeAlias, TypeVar, assert_never

from stepweave.engine import payload
from stepweave.engine.concurrency import run_all
from stepweave.engine.failures import NO_CHOICE_MATCHED, QUERY_EVALUATION_ERROR, RUNTIME, StateError, matches
from stepweave.engine.frame import Frame, Run
from stepweave.engine.jsonata import UNDEFINED
from stepweave.engine.machine import (
    Choice,
    Fail,
    Map,
    Parallel,
    Pass,
    Retrier,
    State,
    Succeed,
    Task,
    Wait,
)
from stepweave.engine.state_reading import INLINE_MAP_CONCURRENCY
from stepweave.engine.tasks import TaskRunner
from stepweave.engine.templates import Template

_STATES_BETWEEN_TURNS = 64
"""States that a line runs before it lets others (and a cancellation) have a turn."""

_TYPES = (Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map)
_ENTERED: dict[type, str] = {kind: f"{kind.__name__}StateEntered" for kind in _TYPES}
_EXITED: dict[type, str] = {kind: f"{kind.__name__}StateExited" for kind in _TYPES}

S = TypeVar("S", Task, Parallel, Map)

Outcome: TypeAlias = tuple[Any, str | None]
"""A state's output and the name of the state that follows."""


class Interpreter:
    """Runs the blocks of one execution."""

    def __init__(self, run: Run, tasks: TaskRunner) -> None:
        self._run = run
        self._history = run.execution.history
        self._tasks = tasks

    async def run_block(self, frame: Frame) -> Any:
        """The output of the block that ``frame`` holds; raises ``StateError``."""
        try:
            return await self._states(frame)
        finally:
            frame.leave()

    async def _states(self, frame: Frame) -> Any:
        states = frame.block.states
        name: str | None = frame.block.start
        value = frame.input
        turns = _STATES_BETWEEN_TURNS
        listening = bool(self._run.listeners)
        while name is not None:
            state = states[name]
            frame.enter(state, value)
            frame.last_event = self._history.record(_ENTERED[type(state)], frame.last_event, name, value)
            if listening:
                frame.tell("state_entered", data=value)
            try:
                value, following = await self._visit(frame, state)
            except asyncio.CancelledError:
                self._aborted(frame, f"{type(state).__name__}StateAborted")
                raise
            if listening:
                frame.tell("state_exited", data=value)
            name = following
            turns -= 1
            if not turns:
                turns = _STATES_BETWEEN_TURNS
                await asyncio.sleep(0)
        return value

    async def _visit(self, frame: Frame, state: State) -> Outcome:
        match state:
            case Task():
                return await self._fallible(frame, state, self._tasks.run)
            case Pass():
                return self._finish(frame, state.assign, state.output, frame.input), state.next
            case Choice():
                return self._choose(frame, state)
            case Parallel():
                return await self._fallible(frame, state, self._parallel)
            case Map():
                return await self._fallible(frame, state, self._map)
            case Wait():
                await asyncio.sleep(self._waiting_seconds(frame, state))
                return self._finish(frame, state.assign, state.output, frame.input), state.next
            case Succeed():
                return self._finish(frame, None, state.output, frame.input), None
            case Fail():
                raise StateError(
                    self._text(frame, state.error, "Error"), self._text(frame, state.cause, "Cause")
                )
            case _:
                assert_never(state)

    def _finish(self, frame: Frame, assign: Template | None, output: Template | None, default: Any) -> Any:
        """The state's output, after its variables are assigned; both are computed from what it was entered with."""
        variables = None if assign is None else frame.evaluate(assign)
        value = default if output is None else frame.evaluate(output)
        if value is not frame.input:
            payload.check(value, f"The output of the state {frame.state.name!r}")
        if variables is not None:
            frame.assign(variables)
        kind = _EXITED[type(frame.state)]
        frame.last_event = self._history.record(kind, frame.last_event, frame.state.name, value, variables)
        return value

    def _text(self, frame: Frame, template: Template | None, field: str) -> str | None:
        if template is None:
            return None
        value = frame.evaluate(template)
        if not isinstance(value, str):
            raise StateError(
                QUERY_EVALUATION_ERROR, f"{field} must be a string, got {payload.to_text(value)}"
            )
        return value

    def _choose(self, frame: Frame, state: Choice) -> Outcome:
        for rule in state.rules:
            holds = frame.evaluate(rule.condition)
            if holds is True:
                return self._finish(frame, rule.assign, rule.output, frame.input), rule.next
            if holds is not False:
                raise StateError(
                    QUERY_EVALUATION_ERROR,
                    f"The Condition of a choice must be true or false, got {payload.to_text(holds)}",
                )
        if state.next is None:
            raise StateError(NO_CHOICE_MATCHED, "No Condition held, and the Choice has no Default.")
        return self._finish(frame, state.assign, state.output, frame.input), state.next

    def _waiting_seconds(self, frame: Frame, state: Wait) -> float:
        if state.seconds is not None:
            seconds = frame.evaluate(state.seconds)
            if (
                isinstance(seconds, bool)
                or not isinstance(seconds, int | float)
                or seconds < 0
                or seconds % 1
            ):
                message = f"Seconds must be a whole number from 0, got {seconds!r}"
                raise StateError(QUERY_EVALUATION_ERROR, message)
            return float(seconds)
        text = self._text(frame, state.timestamp, "Timestamp") or ""
        try:
            until = datetime.fromisoformat(text)
        except ValueError as error:
            raise StateError(
                QUERY_EVALUATION_ERROR, f"Timestamp must be an RFC 3339 time, got {text!r}"
            ) from error
        return max(0.0, until.timestamp() - self._run.now())

    # States that may fail and be tried again.

    async def _fallible(self, frame: Frame, state: S, body: Callable[[Frame, S], Awaitable[Any]]) -> Outcome:
        retries = [0] * len(state.retry)
        while True:
            try:
                frame.result = await body(frame, state)
                return self._finish(frame, state.assign, state.output, frame.result), state.next
            except StateError as error:
                delay = self._delay(state.retry, retries, error)
                if delay is None:
                    return self._caught(frame, state, error)
                if self._run.listeners:
                    failure = {"error": error.error, "cause": error.cause}
                    frame.tell("task_retrying", delay_seconds=delay, **failure)
            await asyncio.sleep(delay)
            frame.retry_count += 1
            frame.result = UNDEFINED

    def _delay(self, retriers: tuple[Retrier, ...], retries: list[int], error: StateError) -> float | None:
        """Seconds until the next attempt; None when there is none. The first retrier that matches decides."""
        for index, retrier in enumerate(retriers):
            if matches(error.error, retrier.errors):
                if retries[index] >= retrier.max_attempts:
                    return None
                delay = float(retrier.interval_seconds) * float(retrier.backoff_rate) ** retries[index]
                if retrier.max_delay_seconds is not None:
                    delay = min(delay, retrier.max_delay_seconds)
                retries[index] += 1
                return self._run.generator.uniform(0, delay) if retrier.jitter else delay
        return None

    def _caught(self, frame: Frame, state: Task | Parallel | Map, error: StateError) -> Outcome:
        for catcher in state.catch:
            if matches(error.error, catcher.errors):
                frame.error_output = error.output()
                return self._finish(frame, catcher.assign, catcher.output, frame.error_output), catcher.next
        raise error

    async def _parallel(self, frame: Frame, state: Parallel) -> Any:
        value = frame.input if state.arguments is None else frame.evaluate(state.arguments)
        started = frame.last_event = self._history.record("ParallelStateStarted", frame.last_event)
        branches = state.branches

        async def branch(index: int) -> Any:
            inner = Frame(self._run, branches[index], value, started, frame)
            result = await self.run_block(inner)
            frame.last_event = inner.last_event
            return result

        return await self._side_by_side(frame, "ParallelState", branch, len(branches), len(branches))

    async def _map(self, frame: Frame, state: Map) -> Any:
        items = frame.input if state.items is None else frame.evaluate(state.items)
        if not isinstance(items, list):
            raise StateError(
                QUERY_EVALUATION_ERROR, f"Items must be an array, got {payload.to_text(items)[:200]}"
            )
        limit = frame.evaluate(state.max_concurrency)
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise StateError(
                QUERY_EVALUATION_ERROR, f"MaxConcurrency must be a whole number from 0, got {limit!r}"
            )
        started = frame.last_event = self._history.record(
            "MapStateStarted", frame.last_event, data=len(items)
        )

        async def iteration(index: int) -> Any:
            return await self._iteration(frame, state, index, items[index], started)

        limit = min(limit or INLINE_MAP_CONCURRENCY, INLINE_MAP_CONCURRENCY)
        return await self._side_by_side(frame, "MapState", iteration, len(items), limit)

    async def _iteration(self, frame: Frame, state: Map, index: int, item: Any, started: int) -> Any:
        name = state.name
        inner = Frame(self._run, state.processor, item, started, frame, {"Index": index, "Value": item})
        inner.last_event = self._history.record("MapIterationStarted", started, name, index)
        if state.selector is not None:
            inner.input = self._select(frame, inner, state.selector)
        try:
            result = await self.run_block(inner)
        except StateError as error:
            if error.error != RUNTIME:
                self._history.record("MapIterationFailed", inner.last_event, name, index)
            raise
        except asyncio.CancelledError:
            self._aborted(inner, "MapIterationAborted", name, index)
            raise
        frame.last_event = self._history.record("MapIterationSucceeded", inner.last_event, name, index)
        return result

    def _select(self, frame: Frame, inner: Frame, selector: Template) -> Any:
        """The input of an iteration: the selector reads the Map's own values and ``$states.context.Map.Item``."""
        inner.enter(frame.state, frame.input)
        return inner.evaluate(selector)

    async def _side_by_side(
        self, frame: Frame, what: str, run: Callable[[int], Awaitable[Any]], count: int, limit: int
    ) -> Any:
        try:
            results = await run_all(run, count, limit)
            payload.check(results, f"The results of the state {frame.state.name!r}")
        except StateError as error:
            if error.error != RUNTIME:
                frame.last_event = self._history.record(f"{what}Failed", frame.last_event)
            raise
        frame.last_event = self._history.record(f"{what}Succeeded", frame.last_event)
        return results

    def _aborted(self, frame: Frame, kind: str, name: str | None = None, data: Any = None) -> None:
        """Record that a line was cancelled, if there is room."""
        try:
            frame.last_event = self._history.record(kind, frame.last_event, name, data)
        except StateError:
            return
