"""`Machine`: the state machine of a DAG, of which each execution begins once."""

from __future__ import annotations

from typing import Any

from functions.shared.executions import milliseconds, state_of
from functions.starter.requests import Request
from stepweave.deployed.arns import execution_arn
from stepweave.errors import StepweaveError
from stepweave.stores.run_table import ExecutionState

_EXISTS = "ExecutionAlreadyExists"
_SERVER_ERROR = 500
"""Of such an answer nobody knows whether it began all the same
(https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html)."""


class StartRefusedError(StepweaveError):
    """Step Functions has said no: nothing was started."""


class Machine:
    """A DAG's state machine.

    Args:
        arn: Of its alias.
        client: A boto3 client of Step Functions.
    """

    def __init__(self, arn: str, client: Any) -> None:
        self._arn = arn
        self._client = client

    def begin(self, dag: str, request: Request) -> tuple[ExecutionState, bool]:
        """The execution of ``request``, and whether it was begun by it; one that has ended does not begin again.

        Raises :class:`StartRefusedError`. After any other error, a lost answer say, it may have begun.
        """
        try:
            answer = self._client.start_execution(
                stateMachineArn=self._arn, name=request.execution, input=request.input
            )
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == _EXISTS:
                return state_of(dag, request.run_id, self._described(request.execution)), False
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_ERROR:
                raise
            raise StartRefusedError(
                f"Step Functions did not start run {request.run_id!r}: {error}"
            ) from error
        state = ExecutionState(
            dag=dag,
            run_id=request.run_id,
            execution=answer["executionArn"],
            status="running",
            started_ms=milliseconds(answer["startDate"]) or 0,
        )
        return state, True

    def input_of(self, execution: str) -> str:
        """JSON text with which an execution (its ARN) began."""
        return str(self._client.describe_execution(executionArn=execution)["input"])

    def _described(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client.describe_execution(executionArn=execution_arn(self._arn, name))
        return found
