"""`Reconciler`: puts right what events that never came have left behind.

For each DAG: of its latest executions, those whose record says something else; runs that are open although nothing was
heard of them for a while; slots of executions that do not run; a queue for which there is a slot. Step Functions is
asked little: DescribeExecution has 15 calls a second
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from functions.recorder.deployed_dags import DeployedDags
from functions.recorder.recording import Clients, Recorder
from functions.recorder.schedules import missed
from functions.shared.execution_names import run_of
from functions.shared.executions import state_of
from stepweave.deployed.arns import execution_arn, unqualified
from stepweave.deployed.environment import DeployedDag
from stepweave.stores.run_table import ENDED

_LISTED = 100
"""Latest executions of a DAG that are looked at, running or not."""
_SILENT_SECONDS = 600
"""A run that began longer ago is asked about, and so is a slot."""
_GONE = frozenset({"ExecutionDoesNotExist", "StateMachineDoesNotExist"})


class Reconciler:
    """Compares the records with Step Functions."""

    def __init__(
        self,
        recorder: Recorder,
        clients: Clients,
        dags: DeployedDags,
        *,
        has_time: Callable[[], bool],
        now: Callable[[], float] = time.time,
    ) -> None:
        """``has_time``: whether the function may go on; what is left is done the next time."""
        self._recorder = recorder
        self._to = clients
        self._dags = dags
        self._has_time = has_time
        self._now = now

    def reconcile(self) -> dict[str, int]:
        """How many DAGs were looked at, how many records, slots and queues put right; runs that wait, starts missed."""
        counts = {"dags": 0, "records": 0, "slots": 0, "queues": 0, "queued": 0, "missed": 0}
        for dag in self._dags.all():
            if not self._has_time():
                break
            counts["dags"] += 1
            counts["records"] += sum(1 for _ in self._records(dag))
            counts["slots"] += self._slots(dag)
            waiting = sum(1 for _ in self._to.table.queued(dag.dag))
            counts["queued"] += waiting
            counts["queues"] += bool(waiting) and self._recorder.wake(dag)
            counts["missed"] += self._missed(dag)
        return counts

    def _records(self, dag: DeployedDag) -> Iterator[str]:
        """ARNs of the executions of which the record had not heard."""
        seen: set[str] = set()
        machine = unqualified(dag.machine)
        for listed in self._latest(machine):
            if not self._has_time():
                return
            seen.add(listed["executionArn"])
            if self._is_news(dag, listed):
                described = self._described(listed["executionArn"])
                if described is not None and self._recorder.tell(dag, described)[1]:
                    yield listed["executionArn"]
        yield from self._open(dag, seen)

    def _latest(self, machine: str) -> list[dict[str, Any]]:
        """The latest executions of a state machine; none when it was deleted just now, with its DAG."""
        try:
            answer = self._to.states.list_executions(stateMachineArn=machine, maxResults=_LISTED)
        except self._to.states.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            return []
        found: list[dict[str, Any]] = answer["executions"]
        return found

    def _is_news(self, dag: DeployedDag, listed: Mapping[str, Any]) -> bool:
        name: str = listed["name"]
        if state_of(dag.dag, name, listed).started_ms / 1000 > self._now() - _SILENT_SECONDS:
            return False  # its events are on their way
        run = self._to.table.get(dag.dag, run_of(name))
        if run is None or listed["executionArn"] not in run.executions:
            return True
        if run.execution != listed["executionArn"]:
            return False
        state = state_of(dag.dag, run.run_id, listed)
        return state.phase > run.phase or (state.status in ENDED and not run.is_handled)

    def _open(self, dag: DeployedDag, seen: set[str]) -> Iterator[str]:
        for run_id in self._to.table.open_runs(dag.dag):
            run = self._to.table.get(dag.dag, run_id)
            if run is None or run.status in ENDED:
                self._to.table.close(dag.dag, run_id)
                continue
            if run.execution is None or run.execution in seen or not self._has_time():
                continue
            described = self._described(run.execution)
            if described is not None and self._recorder.tell(dag, described)[1]:
                yield run.execution

    def _slots(self, dag: DeployedDag) -> int:
        """How many slots were freed of executions that do not run."""
        freed = 0
        for execution, since in self._to.queue.active(dag.dag).items():
            if since > self._now() - _SILENT_SECONDS or not self._has_time():
                continue
            described = self._described(execution_arn(dag.machine, execution))
            if described is None or described["status"] not in ("RUNNING", "PENDING_REDRIVE"):
                self._recorder.free_slot(dag, execution)
                freed += 1
        return freed

    def _missed(self, dag: DeployedDag) -> int:
        """How many moments of the schedule passed without a run."""
        deployed = self._dags.deployed_at(dag.dag)
        if not dag.schedule or deployed is None:
            return 0
        now = datetime.fromtimestamp(self._now(), UTC)

        def has_run(run_id: str) -> bool:
            return self._to.table.get(dag.dag, run_id) is not None

        return len(missed(dag.schedule, deployed=deployed, now=now, has_run=has_run))

    def _described(self, arn: str) -> dict[str, Any] | None:
        """What Step Functions knows of an execution; None when there is none of that name."""
        try:
            found: dict[str, Any] = self._to.states.describe_execution(executionArn=arn)
        except self._to.states.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            return None
        return found
