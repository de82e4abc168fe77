"""`Engine`: machines, what their tasks call, and the executions that run."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from stepweave.engine import payload
from stepweave.engine.clock import Clock, RealClock
from stepweave.engine.events import Event, Kind, Listener
from stepweave.engine.execution import ROLE_ARN, Execution, Status
from stepweave.engine.failures import RUNTIME, TIMEOUT, StateError
from stepweave.engine.frame import Frame, Run
from stepweave.engine.history import MAX_EVENTS, History
from stepweave.engine.integrations.base import Integration, find_integration
from stepweave.engine.interpreter import Interpreter
from stepweave.engine.machine import Machine, Task
from stepweave.engine.tasks import TaskRunner
from stepweave.engine.tokens import Tokens
from stepweave.errors import DefinitionError, Problem, UsageError


class _TimedOut(Exception):
    """The machine's TimeoutSeconds have passed."""


class Engine:
    """Runs state machines in this process.

    >>> from stepweave.engine.parsing import parse
    >>> machine = parse({"QueryLanguage": "JSONata", "StartAt": "a", "States": {"a": {"Type": "Succeed"}}}, "echo")
    >>> engine = Engine({"echo": machine}, {})
    >>> engine.clock.run(engine.run("echo", 7)).output
    7
    """

    def __init__(
        self,
        machines: Mapping[str, Machine],
        integrations: Mapping[str, Integration],
        *,
        clock: Clock | None = None,
        seed: int = 0,
        listeners: Iterable[Listener] = (),
        history_limit: int = MAX_EVENTS,
    ) -> None:
        """``integrations`` by resource without the ARN's head (``lambda:invoke``, see ``find_integration``);
        ``seed`` for jitter, $random, $uuid.

        Raises ``DefinitionError`` when a machine calls what is not there.
        """
        self._machines = dict(machines)
        self._integrations: dict[Task, Integration] = {}
        self.clock: Clock = clock or RealClock()
        self.tokens = Tokens()
        self.executions: dict[str, Execution] = {}
        """Every execution of this engine, by name."""
        self._seed = seed
        self._listeners = tuple(listeners)
        self._history_limit = history_limit
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._stopped: dict[str, tuple[str | None, str | None]] = {}
        problems = [
            problem for machine in self._machines.values() for problem in self._connect(machine, integrations)
        ]
        if problems:
            raise DefinitionError(problems)

    async def run(self, machine: str, value: Any = None, name: str | None = None) -> Execution:
        """The ended execution of ``machine`` with the input ``value``.

        Raises ``UsageError`` for an unknown machine or a name that is taken. Cancelled, it stops everything that the
        execution started, records ABORTED and raises ``CancelledError``.
        """
        return await self.wait(self.start(machine, value, name).name)

    def start(self, machine: str, value: Any = None, name: str | None = None) -> Execution:
        """A new execution that runs in the current event loop; otherwise as :meth:`run`."""
        if machine not in self._machines:
            raise UsageError(
                f"no machine {machine!r}; there are: {', '.join(sorted(self._machines)) or 'none'}"
            )
        name = name or f"{machine}-{len(self.executions) + 1}"
        if name in self.executions:
            raise UsageError(f"an execution {name!r} exists; give each execution a name of its own")
        execution = Execution(
            name=name,
            machine=machine,
            input=value,
            started_at=self.clock.now(),
            history=History(self.clock.now, ROLE_ARN, self._history_limit),
        )
        self.executions[name] = execution
        # A task of its own, so that stop() ends this execution and not the one that called run().
        task = asyncio.create_task(self._execute(execution, self._machines[machine]))
        task.add_done_callback(lambda _: self._running.pop(name, None))
        self._running[name] = task
        return execution

    async def wait(self, name: str) -> Execution:
        """The execution ``name`` when it has ended; cancelled, it stops the execution first."""
        task = self._running.get(name)
        if task is None:
            return self.executions[name]
        try:
            await asyncio.wait([task])
        finally:
            await self._settle(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
        return self.executions[name]

    def stop(self, name: str, error: str | None = None, cause: str | None = None) -> None:
        """Abort a running execution: what it started is stopped, its status becomes ABORTED."""
        task = self._running.get(name)
        if task is None:
            raise UsageError(f"no execution {name!r} is running")
        self._stopped[name] = (error, cause)
        task.cancel()

    @staticmethod
    async def _settle(task: asyncio.Task[Any]) -> None:
        """Wait until a cancelled execution has stopped everything it started."""
        while not task.done():
            task.cancel()
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                continue

    async def _execute(self, execution: Execution, machine: Machine) -> None:
        history = execution.history
        generator = Random(f"{self._seed}/{execution.name}")
        run = Run(execution, self.clock.now, generator, self._listeners, machine.inexact)
        interpreter = Interpreter(run, TaskRunner(run, self._integrations, self.tokens, self.run, self.start))
        frame: Frame | None = None
        try:
            execution.input, inexact = payload.accept(execution.input, "The input of the execution")
            run.inexact |= inexact
            frame = Frame(
                run,
                machine.block,
                execution.input,
                history.record("ExecutionStarted", 0, None, execution.input),
            )
            self._tell("execution_started", execution, execution.input)
            execution.output = await self._within(machine.timeout_seconds, interpreter.run_block(frame))
        except StateError as error:
            self._end(execution, frame, "FAILED", error.error, error.cause)
        except _TimedOut:
            self._end(execution, frame, "TIMED_OUT", TIMEOUT, None)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            self._end(execution, frame, "ABORTED", *self._stopped.pop(execution.name, (None, None)))
            raise
        except Exception as error:
            # A defect of an integration or a listener: the execution ends, and its caller learns why.
            self._end(execution, frame, "FAILED", RUNTIME, repr(error))
            raise
        else:
            self._end(execution, frame, "SUCCEEDED", None, None)

    @staticmethod
    async def _within(seconds: float | None, block: Coroutine[Any, Any, Any]) -> Any:
        try:
            async with asyncio.timeout(seconds) as deadline:
                return await block
        except TimeoutError as error:
            if deadline.expired():
                raise _TimedOut from error
            raise

    def _end(
        self, execution: Execution, frame: Frame | None, status: Status, error: str | None, cause: str | None
    ) -> None:
        last = frame.last_event if frame is not None else 0
        data = execution.output if status == "SUCCEEDED" else (error, cause)
        execution.status, execution.error, execution.cause = status, error, cause
        execution.stopped_at = self.clock.now()
        kind = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "TIMED_OUT": "TimedOut", "ABORTED": "Aborted"}[
            status
        ]
        execution.history.end(f"Execution{kind}", last, data)
        self._tell("execution_ended", execution, execution.output)

    def _tell(self, kind: Kind, execution: Execution, data: Any) -> None:
        if self._listeners:
            event = Event(
                kind=kind,
                at=self.clock.now(),
                execution=execution.name,
                machine=execution.machine,
                data=data,
                status=execution.status,
                error=execution.error,
                cause=execution.cause,
            )
            for listener in self._listeners:
                listener(event)

    def _connect(self, machine: Machine, integrations: Mapping[str, Integration]) -> Iterator[Problem]:
        """Find what serves each task of the machine; the problems of those that nothing serves."""
        for task in machine.tasks():
            where = f"{machine.name}/{task.name}"
            integration = find_integration(integrations, task)
            if integration is None:
                yield Problem(
                    code="unknown-resource",
                    what="the Resource is not an integration of this engine",
                    state=where,
                    expected=", ".join(sorted(integrations)) or "none",
                    got=task.resource,
                )
            else:
                self._integrations[task] = integration
                for problem in integration.check(task, self._machines):
                    yield replace(problem, state=where)
