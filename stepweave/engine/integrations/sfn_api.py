"""``aws-sdk:sfn:…``: the API of Step Functions, answered by the engine itself.

AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from stepweave.engine.execution import Execution
from stepweave.engine.failures import StateError
from stepweave.engine.integrations.aws_shapes import COMPUTED, constants
from stepweave.engine.integrations.base import TOKEN_SUFFIX, Call, Integration, unusable
from stepweave.engine.integrations.dates import timestamp
from stepweave.engine.integrations.names import known_name, last_part
from stepweave.engine.integrations.nested import describe, order, pascal, running_twin, start
from stepweave.engine.machine import Task
from stepweave.engine.payload import is_whole
from stepweave.engine.tokens import TaskTokenError, Tokens
from stepweave.errors import Problem, UsageError

SERVICE = "Sfn"
PREFIX = "aws-sdk:sfn:"


class EngineApi(Protocol):
    """What of an engine is used."""

    tokens: Tokens
    executions: dict[str, Execution]

    def stop(self, name: str, error: str | None = None, cause: str | None = None) -> None: ...

    def redrive(self, name: str) -> Execution: ...

    def list_executions(
        self, machine: str | None = None, status: str | None = None
    ) -> list[dict[str, Any]]: ...


# Required and optional arguments of each action.
_ARGUMENTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "startExecution": (("StateMachineArn",), ("Input", "Name", "TraceHeader")),
    "describeExecution": (("ExecutionArn",), ("IncludedData",)),
    "stopExecution": (("ExecutionArn",), ("Cause", "Error")),
    "redriveExecution": (("ExecutionArn",), ("ClientToken",)),
    "listExecutions": ((), ("MaxResults", "NextToken", "RedriveFilter", "StateMachineArn", "StatusFilter")),
    "sendTaskSuccess": (("Output", "TaskToken"), ()),
    "sendTaskFailure": (("TaskToken",), ("Cause", "Error")),
    "sendTaskHeartbeat": (("TaskToken",), ()),
}

_NOT_TEXT = ("Input", "MaxResults", "Output")


class StepFunctionsApi(Integration):
    """Serves the engine that it is connected to."""

    def __init__(self) -> None:
        self._engine: EngineApi | None = None
        self._machines: set[str] = set()
        self._actions: Mapping[str, Callable[[Mapping[str, Any], Call], dict[str, Any]]] = {
            "startExecution": self._start,
            "describeExecution": self._describe,
            "stopExecution": self._stop,
            "redriveExecution": self._redrive,
            "listExecutions": self._list,
            "sendTaskSuccess": self._succeed,
            "sendTaskFailure": self._fail,
            "sendTaskHeartbeat": self._beat,
        }

    def connect(self, engine: EngineApi) -> None:
        """Serve ``engine`` from now on: once, before it runs."""
        self._engine = engine

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        self._machines.update(machines)
        action = _action(task.resource)
        if action not in _ARGUMENTS:
            yield Problem(
                code="unknown-action",
                what="the engine does not serve this action of Step Functions",
                expected=", ".join(_ARGUMENTS),
                got=action,
                fix="mock the state",
            )
            return
        given = constants(task.arguments)
        if isinstance(given, Mapping):
            for text, where in _mistakes(action, given):
                what = f"Arguments do not fit sfn:{action}: {text}"
                yield Problem(code="unknown-argument", what=what, got=where)

    async def run(self, call: Call) -> Any:
        action = _action(call.resource)
        arguments = call.arguments if isinstance(call.arguments, dict) else {}
        mistakes = [text for text, _ in _mistakes(action, arguments)]
        if mistakes:
            raise unusable(arguments, *mistakes)
        given = {name: value for name, value in arguments.items() if value is not None}
        for name in _ARGUMENTS[action][0]:
            if name not in given:
                where = name[0].lower() + name[1:]
                cause = (
                    f"1 validation error detected: Value null at '{where}' failed to satisfy constraint: "
                    "Member must not be null"
                )
                raise StateError(f"{SERVICE}.{SERVICE}Exception", cause)
        # What was started before gets its turn, so that it can be stopped.
        await asyncio.sleep(0)
        return self._actions[action](given, call)

    @property
    def _served(self) -> EngineApi:
        if self._engine is None:
            raise UsageError("aws-sdk:sfn tasks need connect(engine) before the engine runs")
        return self._engine

    def _start(self, arguments: Mapping[str, Any], call: Call) -> dict[str, Any]:
        wanted = order(arguments, self._machines, call, SERVICE)
        known = self._served.executions.get(wanted.name)
        own = known is not None and known.started_by == call.name
        twin = known if own else running_twin(wanted, self._served.executions, SERVICE)
        execution = twin or start(wanted, call, SERVICE)
        return {"ExecutionArn": execution.arn, "StartDate": timestamp(execution.started_at)}

    def _describe(self, arguments: Mapping[str, Any], call: Call) -> dict[str, Any]:
        return describe(self._execution(arguments), call.now(), timestamp)

    def _stop(self, arguments: Mapping[str, Any], call: Call) -> dict[str, Any]:
        execution = self._execution(arguments)
        if execution.status == "RUNNING":
            self._served.stop(execution.name, arguments.get("Error"), arguments.get("Cause"))
            return {"StopDate": timestamp(call.now())}
        return {"StopDate": timestamp(execution.stopped_at or call.now())}

    def _redrive(self, arguments: Mapping[str, Any], call: Call) -> dict[str, Any]:
        execution = self._execution(arguments)
        try:
            self._served.redrive(execution.name)
        except UsageError as error:
            raise StateError(f"{SERVICE}.ExecutionNotRedrivableException", str(error)) from error
        return {"RedriveDate": timestamp(call.now())}

    def _list(self, arguments: Mapping[str, Any], call: Call) -> dict[str, Any]:
        machine = None
        if "StateMachineArn" in arguments:
            machine = known_name(arguments["StateMachineArn"], self._machines)
            if machine is None:
                cause = f"State Machine Does Not Exist: '{arguments['StateMachineArn']}'"
                raise StateError(f"{SERVICE}.StateMachineDoesNotExistException", cause)
        items = self._served.list_executions(machine, arguments.get("StatusFilter"))
        most = int(arguments.get("MaxResults") or len(items))
        return {"Executions": [pascal(item, timestamp) for item in items[:most]]}

    def _succeed(self, arguments: Mapping[str, Any], call: Call) -> dict[str, Any]:
        output = arguments["Output"]
        if isinstance(output, str):
            try:
                output = json.loads(output)
            except ValueError as error:
                raise StateError(f"{SERVICE}.InvalidOutputException", f"Invalid Output: '{error}'") from error
        return self._send(lambda: self._served.tokens.send_success(str(arguments["TaskToken"]), output))

    def _fail(self, arguments: Mapping[str, Any], call: Call) -> dict[str, Any]:
        token, error, cause = (arguments.get(field) for field in ("TaskToken", "Error", "Cause"))
        return self._send(lambda: self._served.tokens.send_failure(str(token), error or "", cause))

    def _beat(self, arguments: Mapping[str, Any], call: Call) -> dict[str, Any]:
        return self._send(lambda: self._served.tokens.send_heartbeat(str(arguments["TaskToken"])))

    @staticmethod
    def _send(send: Callable[[], None]) -> dict[str, Any]:
        try:
            send()
        except TaskTokenError as error:
            raise StateError(f"{SERVICE}.{error.code}Exception", str(error)) from error
        return {}

    def _execution(self, arguments: Mapping[str, Any]) -> Execution:
        arn = str(arguments["ExecutionArn"])
        execution = self._served.executions.get(last_part(arn))
        if execution is None or execution.arn != arn:
            raise StateError(
                f"{SERVICE}.ExecutionDoesNotExistException", f"Execution Does Not Exist: '{arn}'"
            )
        return execution


def _action(resource: str) -> str:
    return resource.removeprefix(PREFIX).removesuffix(TOKEN_SUFFIX)


def _mistakes(action: str, given: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What is wrong with arguments, as Step Functions says it, and where."""
    required, optional = _ARGUMENTS[action]
    for name, value in given.items():
        if name not in required and name not in optional:
            yield f"The field '{name}' is not supported by Step Functions", name
        elif name not in _NOT_TEXT and not isinstance(value, str | None) and value is not COMPUTED:
            yield f"The value for the field '{name}' must be a STRING", name
        elif name == "MaxResults" and not (value is None or value is COMPUTED or is_whole(value, 0)):
            yield f"The value for the field '{name}' must be a NUMBER", name
    for name in required:
        if name not in given:
            yield f"The field '{name}' is required but was missing", name
