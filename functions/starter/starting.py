"""`Starter`: begins the runs of one DAG, each once, and no more at once than the DAG allows.

    request ─▶ known already? ─▶ duplicate
            ─▶ any number at once? ─▶ StartExecution ─▶ record
            ─▶ queue ─▶ of those that wait longest: claim, with a slot ─▶ StartExecution ─▶ record ─▶ leave the queue

Any step may be the last one before the function dies: the same event then comes again and goes through all of them, and
each changes nothing the second time. What nobody repeats (a slot of an execution that never came to be) the reconciler
of the recorder puts right.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from functions.starter.dag_file import DagFile
from functions.starter.machine import Machine, StartRefusedError
from functions.starter.requests import Request
from stepweave.deployed.arns import name_of
from stepweave.stores.run_queue import RunQueue, Waiting
from stepweave.stores.run_table import ENDED, DeployedRun, RunTable

Outcome: TypeAlias = Literal["started", "duplicate", "queued", "idle", "ignored"]

_DRAINED_AT_ONCE = 25
"""Queued runs that one call starts at most: it has a timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What became of a request."""

    run_id: str | None
    status: Outcome
    execution: str | None = None
    """ARN of the execution, when there is one."""

    def to_json(self) -> dict[str, Any]:
        """The answer of the function."""
        return {"run_id": self.run_id, "execution": self.execution, "status": self.status}


class Starter:
    """Starts the runs of one DAG."""

    def __init__(
        self,
        dag: DagFile,
        machine: Machine,
        runs: RunTable,
        queue: RunQueue,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._dag = dag
        self._machine = machine
        self._runs = runs
        self._queue = queue
        self._now = now

    def start(self, request: Request) -> Started:
        """What became of ``request``."""
        run = self._runs.get(self._dag.dag, request.run_id)
        if run is not None and _is_known(run, request):
            return Started(run_id=request.run_id, status="duplicate", execution=run.execution)
        is_waiting = run is not None and run.place is not None
        if self._dag.max_active_runs is None and not is_waiting:
            return self._begin(request)
        if not is_waiting and not self._enqueue(request, run):
            return self.start(request)  # somebody else asked for it, or stopped it, meanwhile
        begun = {one.run_id: one for one in self._drained()}
        return begun.get(request.run_id) or self._as_recorded(request)

    def drain(self) -> Started:
        """The last queued run that was started, the ones that wait longest first; ``idle`` when none was."""
        return [Started(run_id=None, status="idle"), *self._drained()][-1]

    def _drained(self) -> Iterator[Started]:
        """The queued runs that are started now, as there are slots for them."""
        passed = None
        for _ in range(_DRAINED_AT_ONCE):
            waiting = self._queue.first(self._dag.dag)
            if waiting is None or waiting.place == passed:
                return
            claim = self._queue.claim(waiting, self._dag.max_active_runs, self._milliseconds())
            if claim is None:
                passed = waiting.place  # for want of a slot, unless it is not the first any more
            else:
                yield self._begin_claimed(waiting, claim)

    def _begin_claimed(self, waiting: Waiting, claim: str) -> Started:
        try:
            begun = self._begin(Request.from_json(waiting.request))
        except StartRefusedError as error:
            self._queue.give_up(waiting, claim)
            raise StartRefusedError(f"{error}; it stays in the queue, and is tried again") from error
        self._queue.leave(waiting)
        return begun

    def _begin(self, request: Request) -> Started:
        state, is_new = self._machine.begin(self._dag.dag, request)
        self._runs.tell(state, request.facts)
        if state.status in ENDED and self._dag.max_active_runs is not None:
            self._queue.free(self._dag.dag, request.execution)
        status: Outcome = "started" if is_new else "duplicate"
        return Started(run_id=request.run_id, status=status, execution=state.execution)

    def _enqueue(self, request: Request, seen: DeployedRun | None) -> bool:
        return self._queue.enqueue(
            self._dag.dag,
            request.run_id,
            request.to_json(),
            request.facts,
            self._milliseconds(),
            execution=request.execution,
            seen=seen,
        )

    def _as_recorded(self, request: Request) -> Started:
        """``request`` waits, unless another starter has begun it."""
        run = self._runs.get(self._dag.dag, request.run_id)
        if run is not None and _has_begun(run, request):
            return Started(run_id=request.run_id, status="started", execution=run.execution)
        return Started(run_id=request.run_id, status="queued")

    def _milliseconds(self) -> int:
        return round(self._now() * 1000)


def _is_known(run: DeployedRun, request: Request) -> bool:
    """Whether it has begun, or was cancelled while it waited; that its event comes again starts nothing."""
    return _has_begun(run, request) or (run.status in ENDED and request.source != "resume")


def _has_begun(run: DeployedRun, request: Request) -> bool:
    return any(name_of(arn) == request.execution for arn in run.executions)
