"""``states:startExecution.sync:2``: a nested execution of another machine of the engine.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stepweave.engine.execution import Execution, execution_arn, machine_arn
from stepweave.engine.failures import TASK_FAILED, StateError
from stepweave.engine.integrations.base import Call, Integration, check_name
from stepweave.engine.machine import Task
from stepweave.engine.payload import to_text
from stepweave.errors import Problem, UsageError


class StartExecution(Integration):
    """Runs a machine by name and waits for its end."""

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        yield from check_name(task.arguments, "StateMachineArn", machines, "machine")

    async def run(self, call: Call) -> Any:
        arguments = call.arguments if isinstance(call.arguments, dict) else {}
        machine, name = str(arguments.get("StateMachineArn")), str(arguments.get("Name", call.name))
        call.submitted({"ExecutionArn": execution_arn(machine, name), "StartDate": int(call.now() * 1000)})
        try:
            child = await call.run_machine(machine, arguments.get("Input", {}), name)
        except UsageError as error:
            raise StateError("StepFunctions.InvalidExecutionException", str(error)) from error
        answer = _describe(child)
        if child.status != "SUCCEEDED":
            raise StateError(TASK_FAILED, to_text(answer))
        return answer


def _describe(child: Execution) -> dict[str, Any]:
    """DescribeExecution in PascalCase; with ``.sync:2`` the output is data, not text."""
    answer: dict[str, Any] = {
        "ExecutionArn": child.arn,
        "Input": to_text(child.input),
        "InputDetails": {"Included": True},
        "Name": child.name,
        "StartDate": int(child.started_at * 1000),
        "StateMachineArn": machine_arn(child.machine),
        "Status": child.status,
        "StopDate": int((child.stopped_at or child.started_at) * 1000),
    }
    if child.status == "SUCCEEDED":
        return answer | {"Output": child.output, "OutputDetails": {"Included": True}}
    return answer | {
        key: text for key, text in (("Error", child.error), ("Cause", child.cause)) if text is not None
    }


def start_execution_integrations() -> dict[str, Integration]:
    """``states:startExecution.sync:2``, for :class:`~stepweave.engine.engine.Engine`."""
    return {"states:startExecution.sync:2": StartExecution()}
