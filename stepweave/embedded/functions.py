"""`Functions`: what the state machine calls, on this machine: tasks in worker processes or here, gates in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from stepweave.embedded.approvals import approvals_function, decided
from stepweave.embedded.calls import APPROVALS, RENDEZVOUS, TASK_RUNNER
from stepweave.embedded.control import Control
from stepweave.embedded.interrupts import Interrupts
from stepweave.embedded.pool import RUN_TASK
from stepweave.embedded.rendezvous import EngineTokens, rendezvous_function
from stepweave.embedded.taskruns import TaskRuns
from stepweave.engine.failures import FunctionError
from stepweave.engine.integrations.lambda_invoke import Function
from stepweave.engine.tokens import Tokens
from stepweave.engine.workers import WorkerPool
from stepweave.runtime.committed import find_envelope
from stepweave.runtime.events import Event
from stepweave.runtime.invoke import invoke
from stepweave.stores.layout import task_prefix
from stepweave.stores.objects import ObjectStore

_CONTROL = ("prepare", "collect", "commit", "quorum")
"""Marks of events that read and write a few small objects and call no task: no worker is needed."""
_WITHOUT_RUN = ("items", "batch", "undo", "notice")
"""Marks of events that are no attempt of the task run that they name."""


class Functions:
    """The functions of one run. ``connect`` before the machine runs, ``close`` after."""

    def __init__(
        self,
        store: ObjectStore,
        runs_of: Callable[[str], TaskRuns],
        interrupts: Interrupts,
        pool: WorkerPool | None,
        size: int,
        control: Control,
    ) -> None:
        """``runs_of``: the task runs of a run, by its id.

        ``pool``: the worker processes, ``size`` at most; None to run tasks in this process.
        """
        self._store, self._runs_of, self._interrupts, self._pool = store, runs_of, interrupts, pool
        self._control = control
        self._began = time.time()
        # As many as workers, so that a task counts as running from the moment a worker is free for it.
        self._free = asyncio.Semaphore(size)
        self._meet: Function | None = None
        self._ask: Function | None = None

    def by_name(self) -> Mapping[str, Function]:
        """The functions under the names that the machines use."""
        return {TASK_RUNNER: self._run_task, RENDEZVOUS: self._rendezvous, APPROVALS: self._approvals}

    def connect(self, tokens: Tokens) -> None:
        """Let gates and approvals complete the task tokens of the engine."""
        self._meet = rendezvous_function(tokens)
        self._ask = approvals_function(self._store, EngineTokens(tokens))
        self._control.on("decided", decided(self._store, EngineTokens(tokens)))
        self._control.on("cancel", lambda request: self._interrupts.interrupt())

    async def close(self) -> None:
        """End the workers."""
        if self._pool is not None:
            await self._pool.close()

    async def _rendezvous(self, event: Any) -> Any:
        assert self._meet is not None, "connect() comes before the first gate"
        return await self._meet(event)

    async def _approvals(self, event: Any) -> Any:
        assert self._ask is not None, "connect() comes before the first approval"
        return await self._ask(event)

    async def _run_task(self, event: Any) -> Any:
        if any(event.get(mark) for mark in _CONTROL):
            return invoke(event, self._store)
        task, index = event["task"], event["run"].get("index") or ""
        runs = self._runs_of(event["run"]["id"])
        is_attempt = task in runs.by_id and not any(mark in event for mark in _WITHOUT_RUN)
        if self._pool is None:
            if is_attempt:
                runs.started(task, index)
            record: Any = await self._invoke_here(event)
        else:
            async with self._free:
                if is_attempt:
                    runs.started(task, index)
                began, record, error = await self._pool.call(RUN_TASK, event)
                if is_attempt:
                    runs.began(task, began, index)
                if error is not None:
                    raise FunctionError(*error)
        if is_attempt and event["run"].get("resume"):
            self._note_reuse(event, runs)
        return record

    async def _invoke_here(self, event: Any) -> Any:
        try:
            with self._interrupts.in_task():
                # The terminal shows what the task prints, beside the log, and a debugger finds it here.
                return invoke(event, self._store, echo=True)
        except KeyboardInterrupt:
            await asyncio.Event().wait()  # the run is being cancelled, and this with it

    def _note_reuse(self, event: Event, runs: TaskRuns) -> None:
        """Mark the task run when its result is older than this run of the machine."""
        run = event["run"]
        index = str(run.get("index") or "")
        envelope = find_envelope(self._store, task_prefix(run["dag"], run["id"], event["task"], index))
        if envelope is not None and envelope.started_at < self._began:
            runs.at(event["task"], index).reused = True
