"""`Starter`: begins the runs of one DAG, each once, and no more at once than the DAG allows.

    request ─▶ known already? ─▶ duplicate
            ─▶ slot (max_active_runs)? ─ none ─▶ queue ─▶ (a slot came free meanwhile?)
            ─▶ StartExecution ─▶ record

Any step may be the last one before the function dies: the same event then comes again and goes through all of them, and
each changes nothing the second time. What nobody repeats (a slot of an execution that never came to be) the reconciler
of the recorder puts right.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from functions.shared.executions import execution_arn, milliseconds, state_of
from functions.starter.dag_file import DagFile
from functions.starter.requests import Request
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import ENDED, ExecutionState, RunTable

Outcome: TypeAlias = Literal["started", "duplicate", "queued", "idle"]

_EXISTS = "ExecutionAlreadyExists"
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
        machine: str,
        *,
        table: RunTable,
        queue: RunQueue,
        states: Any,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``machine``: ARN of the alias of its state machine; ``states``: a boto3 client of Step Functions."""
        self._dag = dag
        self._machine = machine
        self._table = table
        self._queue = queue
        self._states = states
        self._now = now

    def start(self, request: Request) -> Started:
        """What became of ``request``."""
        run = self._table.get(self._dag.dag, request.run_id)
        if run is not None and any(_name_of(arn) == request.execution for arn in run.executions):
            return Started(run_id=request.run_id, status="duplicate", execution=run.execution)
        if run is not None and run.status in ENDED and request.source != "resume":
            # It was cancelled while it waited; that its event comes again does not start it.
            return Started(run_id=request.run_id, status="duplicate")
        if run is not None and run.place is not None:
            return self._queued(request)
        if self._has_slot(request):
            return self._begin(request)
        self._queue.enqueue(
            self._dag.dag, request.run_id, request.to_json(), request.facts, self._milliseconds()
        )
        return self._queued(request)

    def drain(self) -> Started:
        """The last queued run that was started, the ones that wait longest first; ``idle`` when none was."""
        last = Started(run_id=None, status="idle")
        for _ in range(_DRAINED_AT_ONCE):
            waiting = self._queue.first(self._dag.dag)
            if waiting is None:
                break
            request = Request.from_json(waiting.request)
            if not self._has_slot(request):
                break
            last = self._begin(request)
            self._queue.leave(waiting)
        return last

    def _queued(self, request: Request) -> Started:
        """``request`` is in the queue; a run may have ended after the slots were looked at, and before that."""
        self.drain()
        run = self._table.get(self._dag.dag, request.run_id)
        if run is not None and any(_name_of(arn) == request.execution for arn in run.executions):
            return Started(run_id=request.run_id, status="started", execution=run.execution)
        return Started(run_id=request.run_id, status="queued")

    def _has_slot(self, request: Request) -> bool:
        most = self._dag.max_active_runs
        if most is None:
            return True
        return self._queue.take(self._dag.dag, request.execution, most, self._milliseconds())

    def _begin(self, request: Request) -> Started:
        try:
            answer = self._states.start_execution(
                stateMachineArn=self._machine, name=request.execution, input=request.input
            )
        except self._states.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == _EXISTS:
                return self._existing(request)
            # Step Functions has said no, so nothing runs that the slot would be for. After a lost answer, which is
            # no ClientError, it is kept: the execution may have begun.
            self._free(request)
            raise
        self._table.tell(
            ExecutionState(
                dag=self._dag.dag,
                run_id=request.run_id,
                execution=answer["executionArn"],
                status="running",
                started_ms=milliseconds(answer["startDate"]) or 0,
            ),
            request.facts,
        )
        return Started(run_id=request.run_id, status="started", execution=answer["executionArn"])

    def _existing(self, request: Request) -> Started:
        """The execution has ended, or runs with another input; its slot is free again if it has ended."""
        arn = execution_arn(self._machine, request.execution)
        found = state_of(self._dag.dag, request.run_id, self._states.describe_execution(executionArn=arn))
        self._table.tell(found, request.facts)
        if found.status in ENDED:
            self._free(request)
        return Started(run_id=request.run_id, status="duplicate", execution=arn)

    def _free(self, request: Request) -> None:
        if self._dag.max_active_runs is not None:
            self._queue.free(self._dag.dag, request.execution)

    def _milliseconds(self) -> int:
        return round(self._now() * 1000)


def _name_of(arn: str) -> str:
    return arn.rpartition(":")[2]
