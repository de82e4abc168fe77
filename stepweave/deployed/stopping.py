"""`cancel`: stops a run; the recorder of the environment then cleans up after it."""

from __future__ import annotations

import time
from collections.abc import Callable

from stepweave.deployed.deployment import Deployment
from stepweave.deployed.executions import describe
from stepweave.deployed.explaining import explained
from stepweave.deployed.run_records import RunRecords
from stepweave.errors import StepweaveError
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import ENDED, DeployedRun

ERROR = "Cancelled"
"""Error of the execution of a run that a person has stopped."""
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
"""How long an execution may take to begin, and to stop."""


def cancel(
    deployment: Deployment, run: DeployedRun, by: str, sleep: Callable[[float], None] = time.sleep
) -> tuple[str, bool]:
    """The run's status, as Step Functions says, and whether it was stopped here: it may have ended before.

    Executions and jobs that the run waits for are stopped by Step Functions with it
    (https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html). A run that is queued never begins.
    """
    if run.place is not None:
        begun = _out_of_queue(deployment, run, sleep)
        if begun is None:
            return "cancelled", True
        if begun.status in ENDED:
            return begun.status, False
        run = begun
    if run.execution is None:  # somebody else has withdrawn it
        return run.status, False
    aws = deployment.aws
    before = describe(aws, run.execution).status
    if before != "running":
        return before, False
    with explained(f"stopping {run.run_id}"):
        client = aws.client("stepfunctions")
        client.stop_execution(executionArn=run.execution, error=ERROR, cause=f"cancelled by {by}")
    waited = 0.0
    while (status := describe(aws, run.execution).status) == "running" and waited < PATIENCE_SECONDS:
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    return status, status == "cancelled"


def _out_of_queue(
    deployment: Deployment, run: DeployedRun, sleep: Callable[[float], None]
) -> DeployedRun | None:
    """The run, which waits no more; None when it never begins, as it was withdrawn here."""
    queue, records = (
        RunQueue(deployment.aws.client("dynamodb"), deployment.platform.table),
        RunRecords(deployment),
    )
    waited = 0.0
    while run.place is not None:
        with explained(f"taking {run.run_id} out of the queue"):
            if queue.withdraw(run.dag, run.run_id, run.place, time.time_ns() // 1_000_000):
                return None
        run = records.run(run.dag, run.run_id) or run
        if run.place is None:
            break
        if waited >= PATIENCE_SECONDS:
            raise StepweaveError(
                f"run {run.run_id} is just beginning, since {waited:.0f} s, and can be stopped when it has begun: "
                "ask again, and see the log of its starter if it stays so"
            )
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    return run
