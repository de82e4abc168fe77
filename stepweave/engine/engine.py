"""`Engine`: machines, what their tasks call, and the executions that run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from stepweave.engine.clock import Clock, RealClock
from stepweave.engine.distributed import MapRunner
from stepweave.engine.events import Listener
from stepweave.engine.execution import Execution
from stepweave.engine.history import MAX_EVENTS, History
from stepweave.engine.integrations.base import Integration, find_integration
from stepweave.engine.interpreter import Interpreter
from stepweave.engine.journal import Journal
from stepweave.engine.machine import Machine, Task
from stepweave.engine.map_runs import MapRun
from stepweave.engine.objects import Objects
from stepweave.engine.operations import description, summary, why_not_redrivable
from stepweave.engine.place import EMBEDDED, Place
from stepweave.engine.positions import Position, position_of
from stepweave.engine.restoring import restored
from stepweave.engine.run import Run
from stepweave.engine.running import Runner
from stepweave.engine.starting import check_input
from stepweave.engine.tasks import TaskRunner
from stepweave.engine.tokens import Tokens
from stepweave.errors import DefinitionError, Problem, UsageError


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
        objects: Objects | None = None,
        journal: Journal | None = None,
        place: Place = EMBEDDED,
        tokens: Tokens | None = None,
    ) -> None:
        """``integrations`` by resource without the ARN's head (``lambda:invoke``, see ``find_integration``).

        ``seed`` is for jitter, $random, $uuid and tokens; ``objects`` is what distributed maps read and write;
        ``place`` is in ARNs; engines with the same ``tokens`` know each other's. An engine with a ``journal`` that
        holds executions has them: see :meth:`resume`.

        Raises ``DefinitionError`` when a machine calls what is not there.
        """
        self._machines = dict(machines)
        self._integrations: dict[Task, Integration] = {}
        self.clock: Clock = clock or RealClock()
        self.tokens = Tokens() if tokens is None else tokens
        self.executions: dict[str, Execution] = {}
        """Every execution of this engine, by name; the children of distributed maps too."""
        self.map_runs: dict[str, MapRun] = {}
        """Every run of a distributed map, by ARN."""
        self._history_limit = history_limit
        self._journal = journal
        self._place = place
        self._positions: dict[str, Position] = {}
        """Where executions are that were left and do not run."""
        self._running: dict[str, asyncio.Task[None]] = {}
        self._maps = MapRunner(self, objects)
        self._runner = Runner(self.clock, seed, tuple(listeners), self.flush, self._interpreter)
        problems = [
            problem for machine in self._machines.values() for problem in self._connect(machine, integrations)
        ]
        if problems:
            raise DefinitionError(problems)
        if journal is not None:
            self._restore(journal)

    # Executions begin, go on and end.

    async def run(
        self, machine: str, value: Any = None, name: str | None = None, *, started_by: str | None = None
    ) -> Execution:
        """The ended execution of ``machine`` with the input ``value``.

        Raises ``UsageError`` for an unknown machine, a name that is taken, an input that is not JSON or is too large;
        ``JournalError`` when its journal cannot be written. Cancelled, it stops everything that the execution
        started, records ABORTED and raises ``CancelledError``.
        """
        return await self.wait(self.start(machine, value, name, started_by=started_by).name)

    def start(
        self, machine: str, value: Any = None, name: str | None = None, *, started_by: str | None = None
    ) -> Execution:
        """A new execution that runs in the current event loop; otherwise as :meth:`run`.

        ``started_by`` names a call inside the engine: the same call made again, after the engine was left and restored,
        gets the execution that it started before.
        """
        if machine not in self._machines:
            raise UsageError(
                f"no machine {machine!r}; there are: {', '.join(sorted(self._machines)) or 'none'}"
            )
        name = name or f"{machine}-{len(self.executions) + 1}"
        known = self.executions.get(name)
        if known is not None and known.started_by is not None and known.started_by == started_by:
            return self.resume(name)
        check_input(machine, value)
        execution = self.create({"name": name, "machine": machine, "input": value, "started_by": started_by})
        self._launch(execution, self._machines[machine], None)
        return execution

    async def wait(self, name: str) -> Execution:
        """The execution ``name`` when it has ended; cancelled, it stops the execution first."""
        task = self._running.get(name)
        if task is None:
            return self._find(name)
        try:
            await asyncio.wait([task])
        finally:
            await _settle(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
        return self.executions[name]

    def stop(self, name: str, error: str | None = None, cause: str | None = None) -> None:
        """Abort a running execution: what it started is stopped, its status becomes ABORTED."""
        task = self._running.get(name)
        if task is None:
            raise UsageError(f"no execution {name!r} is running")
        self._runner.stopped[name] = (error, cause)
        task.cancel()

    def resume(self, name: str) -> Execution:
        """The execution ``name``, which goes on in the current event loop if it was left running.

        For executions that a journal brought: what had been recorded stays as it is, a task that had not ended is
        called again.
        """
        execution = self._find(name)
        if execution.status == "RUNNING" and name not in self._running:
            self._launch(execution, self._machine_of(execution), self._positions.pop(name, None))
        return execution

    def redrive(self, name: str) -> Execution:
        """The failed, aborted or timed-out execution ``name``, going on where it did not succeed.

        Raises ``UsageError`` when it cannot be redriven. AWS:
        https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
        """
        execution = self._find(name)
        reason = why_not_redrivable(execution, self.clock.now())
        if reason is not None:
            raise UsageError(f"the execution {name!r} is not redrivable: {reason}")
        execution.redrive_count += 1
        execution.redriven_at = self.clock.now()
        execution.status, execution.stopped_at, execution.error, execution.cause = "RUNNING", None, None, None
        history = execution.history
        history.record("ExecutionRedriven", len(history), None, execution.redrive_count)
        position, execution.lines = position_of(history.records())
        self._launch(execution, self._machine_of(execution), position)
        return execution

    # What is known of them.

    def describe(self, name: str) -> dict[str, Any]:
        """DescribeExecution's answer; times are seconds since the epoch."""
        return description(self._find(name), self.clock.now())

    def list_executions(self, machine: str | None = None, status: str | None = None) -> list[dict[str, Any]]:
        """ListExecutions' items, the latest first; without the children of distributed maps."""
        return [
            summary(execution)
            for execution in reversed(self.executions.values())
            if execution.map_run is None
            and machine in (None, execution.machine)
            and status in (None, execution.status)
        ]

    def describe_map_run(self, arn: str) -> dict[str, Any]:
        """DescribeMapRun's answer."""
        if arn not in self.map_runs:
            raise UsageError(f"no map run {arn!r}")
        return self.map_runs[arn].describe(self.executions)

    def list_map_runs(self, name: str) -> list[dict[str, Any]]:
        """ListMapRuns' items for the execution ``name``."""
        return [run.summary() for run in self.map_runs.values() if run.execution == self._find(name).name]

    def flush(self) -> None:
        """Return when all that was recorded is in the journal; raises ``JournalError``."""
        if self._journal is not None:
            self._journal.flush()

    # For distributed maps.

    def create(self, details: Mapping[str, Any]) -> Execution:
        """A new execution, which does not run yet. Raises ``UsageError`` for a name that is taken."""
        name = details["name"]
        if name in self.executions:
            raise UsageError(f"an execution {name!r} exists; give each execution a name of its own")
        details = {**details, "started_at": self.clock.now()}
        sink = self._journal.start(details) if self._journal is not None else None
        limit = float("inf") if details.get("express") else self._history_limit
        history = History(self.clock.now, limit, sink, (), self._place)
        execution = Execution(**details, history=history, place=self._place)
        self.executions[name] = execution
        return execution

    async def run_child(self, execution: Execution, machine: Machine) -> None:
        """Run a child of a distributed map to its end, from where it is."""
        name = execution.name
        if execution.status == "RUNNING" and name not in self._running:
            self._launch(execution, machine, self._positions.pop(name, None))
        await self.wait(name)

    # Inside.

    def _find(self, name: str) -> Execution:
        if name not in self.executions:
            raise UsageError(f"no execution {name!r}")
        return self.executions[name]

    def _machine_of(self, execution: Execution) -> Machine:
        if execution.map_run is not None:
            return self._maps.machine_of(execution)
        return self._machines[execution.machine]

    def _launch(self, execution: Execution, machine: Machine, position: Position | None) -> None:
        # A task of its own, so that stop() ends this execution and not the one that called run().
        task = asyncio.create_task(self._runner.run(execution, machine, position))
        self._running[execution.name] = task

        def ended(task: asyncio.Task[None]) -> None:
            del self._running[execution.name]
            if task.cancelled() and execution.status == "RUNNING":
                self._runner.abort(execution)  # it was stopped before its first step

        task.add_done_callback(ended)

    def _interpreter(self, run: Run) -> Interpreter:
        tasks = TaskRunner(run, self._integrations, self.tokens, self.run, self.start)
        return Interpreter(run, tasks.run, self._maps.run)

    def _restore(self, journal: Journal) -> None:
        known = restored(journal, self.clock.now, self._history_limit, self._place)
        self.executions, self.map_runs = known.executions, known.map_runs
        self.tokens.closed(known.ended_tokens)
        for name, execution in known.executions.items():
            position, execution.lines = position_of(known.records[name])
            if execution.status == "RUNNING" and len(execution.history):
                self._positions[name] = position

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


async def _settle(task: asyncio.Task[Any]) -> None:
    """Wait until a cancelled execution has stopped everything it started."""
    while not task.done():
        task.cancel()
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            continue
    if not task.cancelled():
        task.exception()  # if whoever waited was cancelled, nobody else asks for it
