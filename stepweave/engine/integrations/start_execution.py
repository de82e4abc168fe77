"""``states:startExecution``, also with ``.sync``, ``.sync:2`` and ``.waitForTaskToken``: nested executions.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from stepweave.engine.execution import Execution
from stepweave.engine.failures import TASK_FAILED, StateError
from stepweave.engine.integrations.base import Call, Integration, check_name
from stepweave.engine.integrations.dates import milliseconds
from stepweave.engine.integrations.nested import (
    Order,
    describe_child,
    exists_already,
    order,
    running_twin,
    start,
)
from stepweave.engine.machine import Task
from stepweave.engine.payload import to_text
from stepweave.errors import Problem, UsageError

SERVICE = "StepFunctions"

_POLL_SECONDS = 1.0
"""How often an execution is looked at that another task started."""


class StartExecution(Integration):
    """Starts another machine of the engine, by name or ARN."""

    def __init__(self) -> None:
        self._machines: set[str] = set()
        self._started: dict[str, Execution] = {}
        """What this integration started, by name."""

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        self._machines.update(machines)
        yield from check_name(task.arguments, "StateMachineArn", self._machines, "machine")

    async def run(self, call: Call) -> Any:
        arguments = call.arguments if isinstance(call.arguments, dict) else {}
        wanted = order(arguments, self._machines, call, SERVICE)
        twin = running_twin(wanted, self._started, SERVICE)
        if not call.resource.endswith((".sync", ".sync:2")):
            return _answer(twin or self._begin(wanted, call))
        child = await (self._run(wanted, call) if twin is None else self._follow(twin, call))
        if child.status != "SUCCEEDED":
            # In a cause input and output are text, with .sync:2 too (measured: docs/parity.md).
            raise StateError(TASK_FAILED, to_text(describe_child(child, call.now(), parsed=False)))
        return describe_child(child, call.now(), parsed=call.resource.endswith(":2"))

    def _begin(self, wanted: Order, call: Call) -> Execution:
        child = start(wanted, call, SERVICE)
        self._started[wanted.name] = child
        return child

    async def _run(self, wanted: Order, call: Call) -> Execution:
        """The child, ended; cancelled, it is stopped first."""
        child = self._begin(wanted, call)
        call.submitted(_answer(child))
        try:
            return await call.run_machine(wanted.machine, wanted.input, wanted.name, started_by=call.name)
        except UsageError as error:
            raise exists_already(child.arn, SERVICE) from error

    @staticmethod
    async def _follow(child: Execution, call: Call) -> Execution:
        """The child that another task started, ended."""
        call.submitted(_answer(child))
        while child.status == "RUNNING":
            await asyncio.sleep(_POLL_SECONDS)
        return child


def _answer(child: Execution) -> dict[str, Any]:
    """StartExecution's answer."""
    return {"ExecutionArn": child.arn, "StartDate": milliseconds(child.started_at)}


def start_execution_integrations() -> dict[str, Integration]:
    """``states:startExecution`` in all its forms, for :class:`~stepweave.engine.engine.Engine`."""
    integration = StartExecution()
    return {f"states:startExecution{pattern}": integration for pattern in ("", ".sync", ".sync:2")}
