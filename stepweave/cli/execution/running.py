"""`run_order`: everything that an execution needs, put together; the execution; the answer."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping
from typing import Any

from stepweave.cli.answer import Answer, writable
from stepweave.cli.execution.functions import Functions
from stepweave.cli.execution.given import (
    Given,
    Mocked,
    read_buckets,
    read_input,
    read_jobs,
    read_machines,
    read_mock_file,
)
from stepweave.cli.execution.journals import execution_name, open_journal, time_in
from stepweave.cli.execution.lines import ExecutionLines
from stepweave.cli.execution.order import Order
from stepweave.cli.execution.pairs import read_pairs
from stepweave.cli.execution.report import Ended, to_lines, to_object
from stepweave.cli.main import INTERRUPTED_STATUS
from stepweave.embedded.interrupts import Interrupts
from stepweave.engine.clock import Clock, RealClock, VirtualClock
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.journal import Journal
from stepweave.errors import UsageError
from stepweave.standalone.building import Assembled, Setup, assemble
from stepweave.standalone.endpoints import endpoint_integrations
from stepweave.standalone.tracing import Trace, calls_of
from stepweave.standalone.unending import check_endings

ADVICE = (
    "mock it (--mock FILE), or give what it calls: --function NAME=module:handler, --machine NAME=FILE,"
    " --job NAME=COMMAND, --endpoint URL"
)


def run_order(order: Order) -> Answer:
    """The answer to ``order``, after the execution. Raises before anything runs for what cannot be run."""
    given = read_machines(order)
    value = read_input(order.input) if order.continued is None else None
    name = execution_name(order, given.main)
    journal = open_journal(order, name, given.identity)
    try:
        clock = _clock(order, journal)
        mocked = read_mock_file(order, given, clock.now)
        functions = Functions(
            read_pairs("--function", order.functions, "MODULE:HANDLER"),
            inline=order.inline or order.virtual_time,
            on_print=_say,
        )
        session = _Session(order, given, mocked, functions, clock, journal)
        return session.run(name, value)
    finally:
        if journal is not None:
            journal.close()


def _clock(order: Order, journal: Journal | None) -> Clock:
    """The clock; virtual time goes on where it was when the execution was left."""
    if not order.virtual_time:
        return RealClock()
    before = time_in(journal)
    return VirtualClock() if before is None else VirtualClock(before)


class _Session:
    """One engine, and the execution in it."""

    def __init__(
        self,
        order: Order,
        given: Given,
        mocked: Mocked,
        functions: Functions,
        clock: Clock,
        journal: Journal | None,
    ) -> None:
        self._order = order
        self._given = given
        self._functions = functions
        self._clock = clock
        self._lines = None if order.as_json else ExecutionLines(sys.stdout, given.machines)
        self._begun = False
        services = AwsServices(endpoint=order.endpoint, seed=order.seed)
        check_endings(given.machines.values(), mocked.placed.integrations, virtual_time=order.virtual_time)
        setup = Setup(
            machines=given.machines,
            clock=clock,
            functions=functions.functions,
            job_definitions=read_jobs(order),
            on_job_log=_say_job,
            integrations=endpoint_integrations(services, functions.functions) if order.endpoint else {},
            mocks=mocked.placed,
            objects=read_buckets(order, services),
            services=services,
            seed=order.seed,
            listeners=() if self._lines is None else (self._lines,),
            journal=journal,
        )
        self._assembled: Assembled = assemble(setup, advice=ADVICE)
        self._engine = self._assembled.engine
        for call in calls_of(self._engine.executions.values()):
            if call.ended_at is not None:
                machine = self._engine.executions[call.execution].machine.partition("/")[0]
                mocked.placed.called(machine, call.state)
        # What the calls set up is a part of the world, which an execution that goes on needs again.
        services.prepare(mocked.set_up)

    def run(self, name: str, value: Any) -> Answer:
        """The answer, after the execution ``name`` has ended."""
        began = time.monotonic()
        if self._lines is not None:
            self._lines.watch(self._engine.executions, name)
        with Interrupts(_say_interrupted) as interrupts:
            try:
                execution = self._clock.run(self._main(name, value, interrupts))
            except UsageError as error:
                raise self._explained(error, name) from error
        ended = Ended(
            execution=execution,
            executions=self._engine.executions,
            wall_seconds=time.monotonic() - began,
            now=self._clock.now(),
        )
        return self._answer(ended, interrupted=interrupts.count > 0)

    async def _main(self, name: str, value: Any, interrupts: Interrupts) -> Execution:
        interrupts.cancels(asyncio.current_task())
        try:
            self._begin(name, value)
            self._begun = True
            await self._engine.wait(name)
            await self._rest()
        except asyncio.CancelledError:
            if not interrupts.count:
                raise
        finally:
            await self._close()
        return self._engine.executions[name]

    def _begin(self, name: str, value: Any) -> None:
        """Let the execution run, or go on with whatever the journal has of it."""
        if self._order.continued is None:
            self._engine.start(self._given.main, value, name)
            return
        if name not in self._engine.executions:
            raise UsageError(
                f"the journal has no execution {name!r} of its own name; it was not written by this command"
            )
        if self._order.redrive is not None:
            self._redrive(name)
        execution = self._engine.executions[name]
        if self._lines is not None and execution.status == "RUNNING":
            self._lines.going_on(Trace(execution).where())
        for known in list(self._engine.executions.values()):
            # Children of distributed maps go on with their map.
            if known.status == "RUNNING" and known.map_run is None:
                self._engine.resume(known.name)

    def _redrive(self, name: str) -> None:
        if self._engine.executions[name].status == "RUNNING":
            raise UsageError(
                f"the execution {name!r} has not ended; it was cut off. Go on with it:\n"
                f"  {self._order.going_on('--resume', name)}"
            )
        self._engine.redrive(name)

    async def _rest(self) -> None:
        """Wait for what was started and not waited for: executions, jobs, functions."""
        while running := [each.name for each in self._engine.executions.values() if each.status == "RUNNING"]:
            for name in running:
                await self._engine.wait(name)
        await self._assembled.standard.settle()

    async def _close(self) -> None:
        """Stop what still runs: executions, jobs, worker processes."""
        for execution in list(self._engine.executions.values()):
            if execution.status == "RUNNING" and execution.map_run is None:
                # What a journal has as running need not have begun to run here.
                with contextlib.suppress(UsageError):
                    self._engine.stop(execution.name)
                    await self._engine.wait(execution.name)
        await self._assembled.standard.close()
        await self._functions.close()

    def _explained(self, error: UsageError, name: str) -> UsageError:
        """The error; with the state in which the execution is stuck, where it was running already."""
        if not self._begun:
            return error
        where = Trace(self._engine.executions[name]).where()
        return UsageError(f"the execution {name!r} does not get out of the state {where!r}. {error}")

    def _answer(self, ended: Ended, *, interrupted: bool) -> Answer:
        status = 0 if ended.execution.status == "SUCCEEDED" else 1
        status = INTERRUPTED_STATUS if interrupted else status
        if self._order.as_json:
            return Answer(to_object(ended, history=self._order.history), status=status)
        sys.stdout.write(writable("\n".join(to_lines(ended, self._order))) + "\n")
        return Answer(None, status=status)


def _say(name: str, text: str) -> None:
    """Write what a function printed."""
    for line in text.splitlines():
        sys.stderr.write(f"{name} | {line}\n")
    sys.stderr.flush()


def _say_job(arguments: Mapping[str, Any], line: str) -> None:
    _say(str(arguments.get("JobName") or arguments.get("JobDefinition")), line)


def _say_interrupted(again: bool) -> None:
    if not again:
        sys.stderr.write("\nstopping the execution; press Ctrl-C again to exit at once\n")
    sys.stderr.flush()
