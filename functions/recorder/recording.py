"""`Recorder`: news of an execution → the run's record, and what follows from the end of a run.

News come at least once, in any order, or never (status events are best effort:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-list.html); the table sorts that out.
What follows from an end is done by whoever tells of it while nobody has done all of it: each part changes nothing the
second time, but for a notice, of which two are better than none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from functions.recorder.run_events import announce
from functions.recorder.run_metrics import metrics_line
from functions.recorder.run_notices import RunNotice
from functions.shared.executions import input_of, state_of
from stepweave.deployed.cleaning import CLEANUP, cleanup_name, is_broken_off
from stepweave.deployed.environment import DeployedDag
from stepweave.runtime.run_markers import write_marker
from stepweave.stores.objects import ObjectStore
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import ENDED, DeployedRun, ExecutionState, RunFacts, RunTable

_MARKED = {"success": "success", "cancelled": "cancelled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """What the recorder speaks to."""

    table: RunTable
    queue: RunQueue
    store: ObjectStore
    states: Any
    """boto3 clients: of Step Functions, SNS, Lambda and EventBridge."""
    sns: Any
    functions: Any
    events: Any


class Recorder:
    """Keeps the records of an environment's runs."""

    def __init__(
        self,
        env: str,
        clients: Clients,
        *,
        warn_topic: str | None,
        bus: str | None,
        runbook: str,
        write_line: Callable[[str], object],
    ) -> None:
        """``write_line`` takes lines for CloudWatch; without a ``warn_topic`` nobody is told of failures.

        ``bus``: name of the bus that is told of every end; None for none.
        """
        self._env = env
        self._to = clients
        self._warn_topic = warn_topic
        self._bus = bus
        self._runbook = runbook
        self._write_line = write_line

    def tell(self, dag: DeployedDag, found: Mapping[str, Any]) -> tuple[ExecutionState, bool]:
        """What ``found`` says (detail of a status event, or answer of DescribeExecution), and whether that is news."""
        given = self._given(found)
        run_id = str(given.get("run_id") or found["name"])
        state = state_of(dag.dag, run_id, found)
        params = given.get("params")
        facts = RunFacts(
            params=json.dumps(params, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            if isinstance(params, dict)
            else None,
            logical_date=given.get("logical_date"),
        )
        is_news = self._to.table.tell(state, facts)
        if state.status in ENDED:
            is_news |= self._ended(dag, state, given, str(found.get("error") or ""), str(found["name"]))
        return state, is_news

    def free_slot(self, dag: DeployedDag, execution: str) -> None:
        """``execution`` (a name) has no slot any more; whoever waits longest may begin."""
        if self._to.queue.free(dag.dag, execution):
            self.wake(dag)

    def wake(self, dag: DeployedDag) -> bool:
        """Whether a run waits; the starter then looks for a slot."""
        if self._to.queue.first(dag.dag) is None:
            return False
        payload = json.dumps({"source": "queue"}).encode()
        self._to.functions.invoke(FunctionName=dag.starter, InvocationType="Event", Payload=payload)
        return True

    def _given(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The input of the execution; events leave out what is long."""
        given = input_of(found)
        if given is None:
            given = input_of(self._to.states.describe_execution(executionArn=found["executionArn"]))
        return given or {}

    def _ended(
        self, dag: DeployedDag, state: ExecutionState, given: Mapping[str, Any], error: str, name: str
    ) -> bool:
        """Whether there was something left to do."""
        self.free_slot(dag, name)
        run = self._to.table.get(state.dag, state.run_id)
        is_latest = run is not None and (run.execution, run.phase) == (state.execution, state.phase)
        if run is None or not is_latest or run.is_handled:
            return False
        if is_broken_off(state.status, error):
            self._clean_up(dag, state, given, name)
        date = run.facts.logical_date
        status = _MARKED.get(state.status, "failed")
        write_marker(self._to.store, run.dag, run.run_id, status, logical_date=date)
        if self._bus is not None:
            announce(self._to.events, self._bus, self._env, run)
        self._notify(run)
        self._write_line(metrics_line(self._env, run))
        self._to.table.mark_handled(state)
        return True

    def _clean_up(self, dag: DeployedDag, state: ExecutionState, given: Mapping[str, Any], name: str) -> None:
        machine = dag.machines.get(CLEANUP)
        if machine is None:
            return
        try:
            self._to.states.start_execution(
                stateMachineArn=machine,
                name=cleanup_name(name, state.redrives),
                input=json.dumps({**given, "run_id": state.run_id}, sort_keys=True),
            )
        except self._to.states.exceptions.ClientError as refused:
            if refused.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise

    def _notify(self, run: DeployedRun) -> None:
        if self._warn_topic is None:
            return
        # A run inside another one is told of by that one; who cancels a run knows.
        if run.status not in ("failed", "timed_out") or "." in run.run_id:
            return
        notice = RunNotice(env=self._env, run=run, runbook=self._runbook)
        self._to.sns.publish(
            TopicArn=self._warn_topic,
            Subject=notice.subject,
            Message=notice.message(),
            MessageStructure="json",
        )
