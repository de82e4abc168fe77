"""`cancel`: stops the executions of a run; the recorder of the environment then cleans up after it."""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import ClientError

from stepweave.deployed.deployment import Deployment
from stepweave.deployed.executions import describe
from stepweave.deployed.explaining import code_of, explained
from stepweave.errors import UsageError
from stepweave.stores.run_table import DeployedRun

ERROR = "Cancelled"
"""Error of the execution of a run that a person has stopped."""
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
"""How long an execution may take to stop."""


def cancel(deployment: Deployment, run: DeployedRun, by: str, sleep: Callable[[float], None]) -> str:
    """The run's status afterwards, as Step Functions says: ``cancelled``, or how it had ended already.

    Executions and jobs that the run waits for are stopped by Step Functions with it.
    """
    if run.execution is None:
        raise UsageError(
            f"run {run.run_id} is {run.status} and has no execution yet; it can be stopped once it has begun"
        )
    aws = deployment.aws
    if describe(aws, run.execution).status != "running":
        return describe(aws, run.execution).status
    with explained(f"stopping {run.run_id}"):
        try:
            aws.client("stepfunctions").stop_execution(
                executionArn=run.execution, error=ERROR, cause=f"cancelled by {by}"
            )
        except ClientError as error:
            if code_of(error) != "ExecutionDoesNotExist":
                raise
    waited = 0.0
    while (status := describe(aws, run.execution).status) == "running" and waited < PATIENCE_SECONDS:
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    return status
