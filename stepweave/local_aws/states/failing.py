"""`ApiError`: what Step Functions answers to a request that it refuses."""

from __future__ import annotations

from stepweave.errors import StepweaveError


class ApiError(StepweaveError):
    """A refused request: the code of the error, and its text."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


def no_execution(arn: object) -> ApiError:
    """The error of an execution that is not there."""
    return ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def no_machine(arn: object) -> ApiError:
    """The error of a state machine that is not there."""
    return ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
