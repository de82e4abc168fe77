"""`Runner`: carries one execution from where it is to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from stepweave.engine import payload
from stepweave.engine.clock import Clock
from stepweave.engine.events import Event, Kind, Listener
from stepweave.engine.execution import Execution, Status
from stepweave.engine.failures import RUNTIME, TIMEOUT, StateError
from stepweave.engine.frame import Frame
from stepweave.engine.interpreter import Interpreter
from stepweave.engine.journal import JournalError
from stepweave.engine.machine import Machine
from stepweave.engine.positions import Position
from stepweave.engine.run import Run

EXPRESS_SECONDS = 300.0
"""Longest express execution: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html."""

_KINDS: Mapping[Status, str] = {
    "SUCCEEDED": "Succeeded",
    "FAILED": "Failed",
    "TIMED_OUT": "TimedOut",
    "ABORTED": "Aborted",
}


class _TimedOut(Exception):
    """The machine's TimeoutSeconds have passed."""


class Runner:
    """Runs executions, one call each."""

    def __init__(
        self,
        clock: Clock,
        seed: int,
        listeners: tuple[Listener, ...],
        flush: Callable[[], None],
        interpreter: Callable[[Run], Interpreter],
    ) -> None:
        """``flush`` brings records to safety; ``interpreter`` makes what runs the states of one execution."""
        self._clock = clock
        self._seed = seed
        self._listeners = listeners
        self._flush = flush
        self._interpreter = interpreter
        self.stopped: dict[str, tuple[str | None, str | None]] = {}
        """Error and cause with which executions are stopped, by name."""

    async def run(self, execution: Execution, machine: Machine, position: Position | None) -> None:
        """Run ``execution`` to its end, from ``position`` if it was left there.

        Raises ``JournalError`` and leaves it as it is when its journal fails; raises ``CancelledError``, after it has
        ended as ABORTED, when it is stopped.
        """
        seed = f"{self._seed}/{execution.name}"
        if position is not None:
            seed += f"/{len(execution.history)}"  # numbers that were drawn before are not known any more
        run = Run(execution, self._clock.now, seed, self._listeners, machine.inexact, self._flush)
        frame: Frame | None = None
        try:
            execution.input, inexact = payload.accept(execution.input, machine.name)
            run.inexact |= inexact or position is not None
            if position is None:
                execution.history.record("ExecutionStarted", 0, None, execution.input)
                self._tell("execution_started", execution, execution.input)
            frame = Frame(run, machine.block, execution.input, position=position)
            line = self._interpreter(run).run_line(frame)
            execution.output = await self._within(self._remaining(execution, machine), line)
        except JournalError:
            raise
        except StateError as error:
            self._end(execution, frame, "FAILED", error.error, error.cause)
        except _TimedOut:
            self._end(execution, frame, "TIMED_OUT", TIMEOUT, None)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            self._end(execution, frame, "ABORTED", *self.stopped.pop(execution.name, (None, None)))
            raise
        except Exception as error:
            # A defect of an integration or a listener: the execution ends, and its caller learns why.
            self._end(execution, frame, "FAILED", RUNTIME, repr(error))
            raise
        else:
            self._end(execution, frame, "SUCCEEDED", None, None)

    def abort(self, execution: Execution) -> None:
        """End an execution that was stopped before it ran."""
        if not len(execution.history):
            execution.history.record("ExecutionStarted", 0, None, execution.input)
            self._tell("execution_started", execution, execution.input)
        self._end(execution, None, "ABORTED", *self.stopped.pop(execution.name, (None, None)))

    def _remaining(self, execution: Execution, machine: Machine) -> float | None:
        """Seconds that are left to the execution; a redrive gives it all its time again."""
        limit = EXPRESS_SECONDS if execution.express else machine.timeout_seconds
        if limit is None:
            return None
        began = execution.redriven_at if execution.redriven_at is not None else execution.started_at
        passed = max(0.0, self._clock.now() - began)  # never less than none: clocks are set back
        return max(0.0, limit - passed)

    @staticmethod
    async def _within(seconds: float | None, line: Coroutine[Any, Any, Any]) -> Any:
        if seconds is None:
            return await line
        try:
            async with asyncio.timeout(seconds) as deadline:
                return await line
        except TimeoutError as error:
            if deadline.expired():
                raise _TimedOut from error
            raise

    def _end(
        self, execution: Execution, frame: Frame | None, status: Status, error: str | None, cause: str | None
    ) -> None:
        last = 0 if frame is None or status in ("TIMED_OUT", "ABORTED") else frame.tail
        data = execution.output if status == "SUCCEEDED" else (error, cause)
        execution.history.end(f"Execution{_KINDS[status]}", last, data)
        try:
            self._flush()
        finally:
            execution.status, execution.cause = status, cause
            execution.error = None if status == "TIMED_OUT" else error  # as DescribeExecution has it
            execution.stopped_at = self._clock.now()
            self._tell("execution_ended", execution, execution.output)

    def _tell(self, kind: Kind, execution: Execution, data: Any) -> None:
        if self._listeners:
            event = Event(
                kind=kind,
                at=self._clock.now(),
                execution=execution.name,
                machine=execution.machine,
                data=data,
                status=execution.status,
                error=execution.error,
                cause=execution.cause,
            )
            for listener in self._listeners:
                listener(event)
