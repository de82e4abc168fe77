"""``states:startExecution``, also with ``.sync`` and ``.sync:2``: executions that executions start.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

from stepweave.engine.failures import TASK_FAILED, StateError
from stepweave.engine.integrations.base import Call, Integration, unusable
from stepweave.engine.integrations.dates import milliseconds
from stepweave.engine.integrations.nested import pascal
from stepweave.engine.payload import to_text
from stepweave.local_aws.states.entry import Entry
from stepweave.local_aws.states.failing import ApiError
from stepweave.local_aws.states.service import States

SERVICE = "StepFunctions"

_NOT_TOLD = ("redriveCount", "redriveStatus", "redriveStatusReason", "redriveDate")
"""What the optimized integration does not tell of an execution."""


class StartExecution(Integration):
    """Starts a machine, a version or an alias by its ARN."""

    def __init__(self, states: Callable[[], States]) -> None:
        self._states = states

    async def run(self, call: Call) -> Any:
        arguments = call.arguments if isinstance(call.arguments, dict) else {}
        states = self._states()
        entry = self._started(states, call, arguments)
        answer = {"ExecutionArn": entry.arn, "StartDate": milliseconds(entry.started_at)}
        if not call.resource.endswith((".sync", ".sync:2")):
            return answer
        call.submitted(answer)
        try:
            await states.wait(entry.arn)
        except asyncio.CancelledError:
            await states.stop(entry.arn, None, None)
            raise
        now = states.world.clock.now()
        if entry.status != "SUCCEEDED":
            # In a cause input and output are text, with .sync:2 too.
            raise StateError(TASK_FAILED, to_text(_described(entry, now, parsed=False)))
        return _described(entry, now, parsed=call.resource.endswith(":2"))

    @staticmethod
    def _started(states: States, call: Call, arguments: dict[str, Any]) -> Entry:
        arn, name, value = (arguments.get(field) for field in ("StateMachineArn", "Name", "Input"))
        for field in ("StateMachineArn", "Name"):
            if not isinstance(arguments.get(field), str | None):
                raise unusable(arguments, f"The value for the field '{field}' must be a STRING")
        text = value if isinstance(value, str) else to_text({} if value is None else value)
        # The same name for the same call after a restart, so that it finds what it started.
        caller = f"{call.execution.arn}/{call.name}"
        try:
            return states.start(
                str(arn), text, name or str(uuid.uuid5(uuid.NAMESPACE_URL, caller)), started_by=caller
            )
        except ApiError as error:
            raise StateError(f"{SERVICE}.{error.code}Exception", str(error)) from error


def _described(entry: Entry, now: float, *, parsed: bool) -> dict[str, Any]:
    """What ``.sync`` answers; ``parsed``: input and output as data (``.sync:2``) instead of text."""
    answer = {name: value for name, value in entry.description(now).items() if name not in _NOT_TOLD}
    if parsed:
        for field in ("input", "output"):
            if field in answer:
                answer[field] = json.loads(answer[field])
    return pascal(answer, milliseconds)
