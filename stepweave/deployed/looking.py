"""`RunView`: a deployed run with its tasks, as it is now or while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from stepweave.deployed.arns import execution_arn, machine_of, name_of
from stepweave.deployed.cleaning import CLEANUP, cleanup_name, is_broken_off
from stepweave.deployed.deployment import Deployment
from stepweave.deployed.executions import Execution, describe, exists
from stepweave.deployed.histories import FOLLOWED_ITEMS, SHOWN_ITEMS, Histories
from stepweave.deployed.run_records import RunRecords
from stepweave.deployed.statuses import RunStatuses
from stepweave.embedded.causes import error_message
from stepweave.embedded.taskruns import Observer
from stepweave.errors import StepweaveError
from stepweave.graph.model import Graph
from stepweave.stores.run_table import ENDED, DeployedRun

FIRST_POLL_SECONDS = 1.0
LONGEST_POLL_SECONDS = 5.0
"""Time between two looks at a run that is followed. AWS answers 20 GetExecutionHistory and 15 DescribeExecution a
second for a whole account (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""
CLEANUP_SECONDS = 20.0
"""How long a run that broke off may take until it is cleaned up after, while somebody waits."""
SLOWER = 1.2
"""Factor by which the time between looks grows."""

Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """The latest execution of a run, and the task runs in it."""

    execution: Execution
    statuses: RunStatuses


def look_at(
    deployment: Deployment, run: DeployedRun, graph: Graph, *, items: int = SHOWN_ITEMS
) -> RunView | None:
    """The run as it is now; None while it has no execution. ``items``: of a distributed map that are looked at."""
    if run.execution is None:
        return None
    execution = describe(deployment.aws, run.execution)
    statuses = _statuses(deployment, run, graph, items)
    # The second look tells what the end of a line that waits for others was held back for.
    statuses.look()
    statuses.look()
    is_done = True
    cleanup = _cleanup(deployment, run, execution)
    if cleanup is not None and exists(deployment.aws, cleanup):
        statuses.clean_up(_histories(deployment, run, cleanup, items))
        statuses.look()
        statuses.look()
        is_done = statuses.has_ended
    return _closed(execution, statuses, run, is_done=is_done and execution.status != "running")


def follow(
    deployment: Deployment,
    run: DeployedRun,
    graph: Graph | None,
    observers: Sequence[Observer] = (),
    *,
    sleep: Sleep = time.sleep,
) -> RunView | Execution:
    """The run once it has ended; without its tasks where the DAG is not at hand.

    ``observers`` are told of each change.
    """
    run = _begun(deployment, run, sleep)
    assert run.execution is not None
    statuses = _statuses(deployment, run, graph, FOLLOWED_ITEMS, observers) if graph is not None else None
    for seconds in _pauses():
        if statuses is not None:
            statuses.look()
        if statuses is None or statuses.has_ended:
            execution = describe(deployment.aws, run.execution)
            if execution.status != "running":
                break
        sleep(seconds)
    if statuses is None:
        return execution
    cleanup = _cleanup(deployment, run, execution)
    if cleanup is not None and _appears(deployment, cleanup, sleep):
        statuses.clean_up(_histories(deployment, run, cleanup, FOLLOWED_ITEMS))
        for seconds in _pauses():
            statuses.look()
            if statuses.has_ended:
                break
            sleep(seconds)
    return _closed(execution, statuses, run, is_done=True)


def as_seen(run: DeployedRun, execution: Execution) -> DeployedRun:
    """The run as its execution says, which the record follows a few seconds later."""
    is_before = (
        run.place is not None and execution.arn == run.execution
    )  # a resumed run waits for its next one
    if execution.status == run.status or is_before:
        return run
    ended = execution.ended_at
    why = ": ".join(
        part for part in (execution.error, error_message(execution.cause, execution.error)) if part
    )
    return replace(
        run,
        status=execution.status,
        ended=datetime.fromtimestamp(ended, UTC).isoformat() if ended is not None else None,
        error=why,
    )


def as_it_is(deployment: Deployment, run: DeployedRun) -> DeployedRun:
    """The run; one that goes on by its record as its execution says, since events arrive late, or never."""
    if run.status in ENDED or run.execution is None:
        return run
    return as_seen(run, describe(deployment.aws, run.execution))


def _begun(deployment: Deployment, run: DeployedRun, sleep: Sleep) -> DeployedRun:
    """The run, once it has an execution: before that it waits for others of its DAG."""
    records = RunRecords(deployment)
    for seconds in _pauses():
        if run.execution is not None and run.place is None:
            break
        if run.status in ENDED:
            raise StepweaveError(f"run {run.run_id} was {run.status} before it began")
        sleep(seconds)
        run = records.run(run.dag, run.run_id) or run
    return run


def _pauses() -> Iterator[float]:
    """Seconds to wait before each further look."""
    seconds = FIRST_POLL_SECONDS
    while True:
        yield seconds
        seconds = min(seconds * SLOWER, LONGEST_POLL_SECONDS)


def _cleanup(deployment: Deployment, run: DeployedRun, execution: Execution) -> str | None:
    """ARN of the execution that cleans up after ``execution``; None where nothing is to be cleaned up."""
    machine = deployment.dag(run.dag).machines.get(CLEANUP)
    if machine is None or not is_broken_off(execution.status, execution.error):
        return None
    return execution_arn(machine, cleanup_name(name_of(execution.arn), execution.redrives))


def _appears(deployment: Deployment, execution: str, sleep: Sleep) -> bool:
    """Whether an execution is there, at the latest after :data:`CLEANUP_SECONDS`: an event has to tell of the end."""
    waited = 0.0
    while not exists(deployment.aws, execution):
        if waited >= CLEANUP_SECONDS:
            return False
        sleep(1.0)
        waited += 1.0
    return True


def _statuses(
    deployment: Deployment, run: DeployedRun, graph: Graph, items: int, observers: Sequence[Observer] = ()
) -> RunStatuses:
    histories = _histories(deployment, run, str(run.execution), items)
    return RunStatuses(
        graph, run.run_id, histories, env=deployment.env, store=deployment.store(), observers=observers
    )


def _histories(deployment: Deployment, run: DeployedRun, execution: str, items: int) -> Histories:
    dag = deployment.dag(run.dag)
    machines = frozenset(map(machine_of, (dag.machine, execution, *dag.machines.values())))
    return Histories(deployment.aws, execution, machines, items)


def _closed(execution: Execution, statuses: RunStatuses, run: DeployedRun, *, is_done: bool) -> RunView:
    """The run as it is shown. ``is_done``: nothing more happens in it, nor is anything cleaned up."""
    resumed_at = execution.started_at if run.attempt > 1 else None
    if is_done:
        statuses.end(resumed_at=resumed_at)
    else:
        statuses.pause(resumed_at=resumed_at)
    return RunView(execution=execution, statuses=statuses)
