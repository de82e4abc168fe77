"""The interpreter: one machine, one execution, one `match` over state types.

A line of states runs in a loop, not by recursion, so a chain may be as long as it likes. Branches and iterations are
lines of their own (:mod:`.branches`), side by side as asyncio tasks with a :class:`~stepweave.engine.frame.Frame` each.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeAlias, TypeVar, assert_never

from stepweave.engine import payload
from stepweave.engine.branches import run_map, run_parallel
from stepweave.engine.failures import RUNTIME, StateError, matches
from stepweave.engine.frame import Frame
from stepweave.engine.history import EXITED, RETRY_NOTE, WAIT_NOTE
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
from stepweave.engine.positions import Position
from stepweave.engine.run import Run
from stepweave.engine.templates import Template

_STATES_BETWEEN_TURNS = 64
"""States that a line runs before it lets others (and a cancellation) have a turn."""

S = TypeVar("S", Task, Parallel, Map)

Outcome: TypeAlias = tuple[Any, str | None]
"""A state's output and the name of the state that follows."""

Body: TypeAlias = Callable[[Frame, S, Position | None], Awaitable[Any]]
"""One attempt of a state that may fail; the position is where the attempt was when the execution was left."""


class Interpreter:
    """Runs the lines of one execution."""

    def __init__(self, run: Run, task: Body[Task], distributed: Body[Map]) -> None:
        """``task`` runs an attempt of a Task, ``distributed`` of a distributed map."""
        self._run = run
        self._history = run.execution.history
        self._task = task
        self._distributed = distributed

    async def run_line(self, frame: Frame) -> Any:
        """The output of the line that ``frame`` holds; raises ``StateError``."""
        try:
            return await self._states(frame)
        finally:
            frame.leave()

    async def _states(self, frame: Frame) -> Any:
        states = frame.block.states
        name: str | None = frame.block.start
        value = frame.input
        position = frame.position
        if position is not None and (position.following or position.ended):
            name, value, position = position.following, position.value, None
        turns = _STATES_BETWEEN_TURNS
        listening = bool(self._run.listeners)
        while name is not None:
            if position is not None and position.state is not None:
                state = states[position.state]
                frame.enter_again(state, position)
            else:
                state = states[name]
                frame.enter(state, value)
                if listening:
                    frame.tell("state_entered", data=value)
            position = None
            try:
                value, following = await self._visit(frame, state)
            except asyncio.CancelledError:
                frame.aborted()
                raise
            if listening:
                frame.tell("state_exited", data=value, following=following)
            name = following
            turns -= 1
            if not turns:
                turns = _STATES_BETWEEN_TURNS
                await asyncio.sleep(0)
        return value

    async def _visit(self, frame: Frame, state: State) -> Outcome:
        match state:
            case Task():
                return await self._fallible(frame, state, self._task)
            case Pass():
                return self._finish(frame, state.assign, state.output, frame.input, state.next)
            case Choice():
                return self._choose(frame, state)
            case Parallel():
                return await self._fallible(frame, state, self._parallel)
            case Map():
                body = self._distributed if state.distributed else self._map
                return await self._fallible(frame, state, body)
            case Wait():
                await self._wait(frame, state)
                return self._finish(frame, state.assign, state.output, frame.input, state.next)
            case Succeed():
                return self._finish(frame, None, state.output, frame.input, None)
            case Fail():
                raise StateError(
                    self._text(frame, state.error, "Error"), self._text(frame, state.cause, "Cause")
                )
            case _:
                assert_never(state)

    def _finish(
        self,
        frame: Frame,
        assign: Template | None,
        output: Template | None,
        default: Any,
        following: str | None,
    ) -> Outcome:
        """The state's outcome, after its variables are assigned."""
        variables, value = self._evaluated(frame, assign, output, default)
        return self._leave(frame, variables, value, following)

    def _evaluated(
        self, frame: Frame, assign: Template | None, output: Template | None, default: Any
    ) -> tuple[dict[str, Any] | None, Any]:
        """Variables and output, both computed from what the state was entered with."""
        variables = None if assign is None else frame.evaluate(assign)
        value = default if output is None else frame.evaluate(output)
        if value is not frame.input:
            payload.check(value, frame.state.name)
        if variables is not None:
            frame.assign(variables)
        return variables, value

    def _leave(
        self, frame: Frame, variables: dict[str, Any] | None, value: Any, following: str | None
    ) -> Outcome:
        frame.last_event = frame.tail = self._history.record(
            EXITED[type(frame.state)],
            frame.last_event,
            frame.state.name,
            value,
            (variables, following),
            frame.line,
        )
        return value, following

    def _text(self, frame: Frame, template: Template | None, field: str) -> str | None:
        if template is None:
            return None
        value = frame.evaluate(template)
        if not isinstance(value, str):
            raise frame.failed_evaluation(field, f"{field} must be a string, got {payload.to_text(value)}")
        return value

    def _choose(self, frame: Frame, state: Choice) -> Outcome:
        for rule in state.rules:
            holds = frame.evaluate(rule.condition)
            if holds is True:
                return self._finish(frame, rule.assign, rule.output, frame.input, rule.next)
            if holds is not False:
                text = payload.to_text(holds)
                raise frame.failed_evaluation("Condition", f"Condition must be true or false, got {text}")
        if state.next is None:
            # By the documentation States.NoChoiceMatched; this is what was read off AWS (docs/parity.md).
            text = "Failed to transition out of the state. The state does not point to a next state."
            raise StateError(RUNTIME, frame.cause(text))
        return self._finish(frame, state.assign, state.output, frame.input, state.next)

    async def _wait(self, frame: Frame, state: Wait) -> None:
        position, frame.position = frame.position, None
        if position is not None and position.due is not None:
            return await self._until(position.due, None if state.timestamp else position.due_within)
        seconds = self._waiting_seconds(frame, state)
        self._history.note(WAIT_NOTE, self._run.now() + seconds, frame.line)
        self._run.flush()
        await asyncio.sleep(seconds)

    async def _until(self, due: float, longest: float | None) -> None:
        """Go on waiting, after the execution was left; ``longest`` in case the clock was set back meanwhile."""
        seconds = max(0.0, due - self._run.now())
        await asyncio.sleep(seconds if longest is None else min(seconds, longest))

    def _waiting_seconds(self, frame: Frame, state: Wait) -> float:
        if state.seconds is not None:
            seconds = frame.evaluate(state.seconds)
            if not payload.is_whole(seconds, 0):
                raise frame.failed_evaluation(
                    "Seconds", f"Seconds must be a whole number from 0, got {payload.to_text(seconds)}"
                )
            return float(seconds)
        text = self._text(frame, state.timestamp, "Timestamp") or ""
        until = parse_timestamp(text)
        if until is None:
            raise frame.failed_evaluation(
                "Timestamp",
                "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: "
                + text,
            )
        return max(0.0, until - self._run.now())

    # States that may fail and be tried again.

    async def _fallible(self, frame: Frame, state: S, body: Body[S]) -> Outcome:
        retries = [0] * len(state.retry)
        failure: StateError | None = None
        position, frame.position = frame.position, None
        if position is not None:
            failure = position.error
            retries = position.retries or retries
            if position.due is not None:
                await self._until(position.due, position.due_within)
        while True:
            try:
                if failure is not None:
                    raise failure
                frame.result = await body(frame, state, position)
                return self._finish(frame, state.assign, state.output, frame.result, state.next)
            except StateError as error:
                delay = self._delay(state.retry, retries, error)
                if delay is None:
                    return self._caught(frame, state, error)
                if self._run.listeners:
                    told = {"error": error.error, "cause": error.cause}
                    frame.tell("task_retrying", delay_seconds=delay, **told)
            frame.retry_count += 1
            due = self._run.now() + delay
            self._history.note(RETRY_NOTE, (retries, frame.retry_count, due), frame.line)
            self._run.flush()
            await asyncio.sleep(delay)
            frame.result = UNDEFINED
            position = failure = None

    def _delay(self, retriers: tuple[Retrier, ...], retries: list[int], error: StateError) -> float | None:
        """Seconds until the next attempt; None when there is none. The first retrier that matches decides."""
        for index, retrier in enumerate(retriers):
            if matches(error, retrier.errors):
                if retries[index] >= retrier.max_attempts:
                    return None
                delay = _backed_off(retrier, retries[index])
                retries[index] += 1
                return self._run.generator.uniform(0, delay) if retrier.jitter else delay
        return None

    def _caught(self, frame: Frame, state: Task | Parallel | Map, error: StateError) -> Outcome:
        before = frame.last_event
        self._record_failure(frame, state, error)
        for catcher in state.catch:
            if matches(error, catcher.errors):
                frame.error_output = error.output()
                failed, frame.last_event = frame.last_event, before
                try:
                    variables, value = self._evaluated(
                        frame, catcher.assign, catcher.output, frame.error_output
                    )
                except StateError as again:
                    self._record_failure(frame, state, again)
                    raise
                frame.last_event = failed
                return self._leave(frame, variables, value, catcher.next)
        raise error

    def _record_failure(self, frame: Frame, state: Task | Parallel | Map, error: StateError) -> None:
        if not isinstance(state, Task) and error.error != RUNTIME:
            frame.record(f"{type(state).__name__}StateFailed", (error.error, error.cause), error.kind)

    async def _parallel(self, frame: Frame, state: Parallel, position: Position | None) -> Any:
        return await run_parallel(self.run_line, frame, state, position)

    async def _map(self, frame: Frame, state: Map, position: Position | None) -> Any:
        return await run_map(self.run_line, frame, state, position)


def _backed_off(retrier: Retrier, retries: int) -> float:
    """Seconds before retry number ``retries`` + 1, without jitter."""
    ceiling = retrier.max_delay_seconds if retrier.max_delay_seconds is not None else _LONGEST_DELAY_SECONDS
    try:
        delay = float(retrier.interval_seconds) * float(retrier.backoff_rate) ** retries
    except OverflowError:
        return ceiling
    return min(delay, ceiling)


_LONGEST_DELAY_SECONDS = 31_622_400.0
"""The ceiling of a delay, a year: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html."""


_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_timestamp(text: str) -> float | None:
    """Seconds since the epoch of an ISO 8601 extended offset date-time; None when ``text`` is none.

    >>> parse_timestamp("1970-01-01T00:01:00.5Z"), parse_timestamp("1970-01-01T00:01:00")
    (60.5, None)
    """
    found = _TIMESTAMP.fullmatch(text)
    if found is None or (found[4] and not found[3]):
        return None
    day, minutes, seconds, fraction, offset = found.groups()
    try:
        at = datetime.fromisoformat(f"{day}T{minutes}{seconds or ':00'}{offset.upper()}")
    except ValueError:
        return None
    return at.timestamp() + float(fraction or 0)
