"""`Api`: the actions of Step Functions that concern executions, from request to answer, both as on the wire.

AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from stepweave.engine.failures import StateError
from stepweave.engine.tokens import TaskTokenError
from stepweave.errors import UsageError
from stepweave.local_aws.states.entry import Entry
from stepweave.local_aws.states.failing import ApiError, no_execution
from stepweave.local_aws.states.machines import Revision
from stepweave.local_aws.states.paging import LARGEST_PAGE, known_length, page, page_after
from stepweave.local_aws.states.service import States

Request: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = dict[str, Any]

HISTORY_PAGE = 100
"""Events of a page unless the request says how many:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html."""

_DATA = ("input", "output", "parameters")


class Api:
    """Answers requests in the loop of its :class:`States`; raises ``ApiError``."""

    def __init__(self, states: States) -> None:
        self._states = states
        self.actions: Mapping[str, Callable[[Request], Coroutine[Any, Any, Answer]]] = {
            "StartExecution": self._start,
            "StartSyncExecution": self._start_sync,
            "StopExecution": self._stop,
            "RedriveExecution": self._redrive,
            "DescribeExecution": self._describe,
            "DescribeStateMachineForExecution": self._describe_machine,
            "ListExecutions": self._list,
            "GetExecutionHistory": self._history,
            "ListMapRuns": self._list_map_runs,
            "DescribeMapRun": self._describe_map_run,
            "SendTaskSuccess": self._succeed,
            "SendTaskFailure": self._fail,
            "SendTaskHeartbeat": self._beat,
        }

    async def _start(self, request: Request) -> Answer:
        entry = self._started(request)
        return {"executionArn": entry.arn, "startDate": entry.started_at}

    async def _start_sync(self, request: Request) -> Answer:
        entry = self._started(request)
        if not entry.revision.express:
            await self._states.stop(entry.arn, None, None)
            raise ApiError(
                "StateMachineTypeNotSupported", "only an EXPRESS state machine is started synchronously"
            )
        await self._states.wait(entry.arn)
        unknown = ("redriveCount", "redriveStatus", "redriveStatusReason")
        answer = entry.description(self._states.world.clock.now())
        return {name: value for name, value in answer.items() if name not in unknown}

    def _started(self, request: Request) -> Entry:
        return self._states.start(
            str(request.get("stateMachineArn")), request.get("input", "{}"), request.get("name")
        )

    async def _stop(self, request: Request) -> Answer:
        stopped = await self._states.stop(_arn(request), request.get("error"), request.get("cause"))
        return {"stopDate": stopped}

    async def _redrive(self, request: Request) -> Answer:
        return {"redriveDate": self._states.redrive(_arn(request))}

    async def _describe(self, request: Request) -> Answer:
        arn = _arn(request)
        if (entry := self._states.entries.get(arn)) is not None:
            return entry.description(self._states.world.clock.now())
        return self._states.live(arn).engine.describe(arn.rpartition(":")[2])

    async def _describe_machine(self, request: Request) -> Answer:
        revision: Revision = self._states.entry_of(_arn(request)).revision
        answer: Answer = {
            "stateMachineArn": revision.version_arn or revision.machine_arn,
            "name": revision.name,
            "definition": revision.definition,
            "roleArn": revision.role_arn,
            "updateDate": revision.updated,
            "loggingConfiguration": {
                "level": revision.logging.level,
                "includeExecutionData": revision.logging.with_data,
            },
            "tracingConfiguration": {"enabled": False},
        }
        return answer | ({"revisionId": revision.revision_id} if revision.revision_id else {})

    async def _list(self, request: Request) -> Answer:
        run = request.get("mapRunArn")
        if run is not None:
            engine = self._states.live(str(run)).engine
            found = [
                engine.describe(child.name) for child in engine.executions.values() if child.map_run == run
            ]
            shown = [
                {name: item[name] for name in item if not name.startswith(("input", "output"))}
                for item in found
            ]
        else:
            shown = [
                entry.summary() for entry in self._states.of_machine(str(request.get("stateMachineArn")))
            ]
        status = request.get("statusFilter")
        shown = [item for item in shown if status in (None, item["status"]) and _redriven(item, request)]
        shown.sort(key=_place, reverse=True)
        items, token = page_after(
            request, shown, of=f"executions/{run or ''}", default=LARGEST_PAGE, key=_place
        )
        return {"executions": list(items)} | _next(token)

    async def _history(self, request: Request) -> Answer:
        arn = _arn(request)
        entry = self._states.entry_of(arn)
        name = entry.name if arn == entry.arn else arn.rpartition(":")[2]
        events = list(self._states.live(arn).engine.executions[name].history.events())
        backwards = bool(request.get("reverseOrder", False))
        of = f"history/{arn}/{backwards}"
        length = known_length(request, of) or len(events)
        events = events[:length]
        if backwards:
            events.reverse()
        items, token = page(request, events, of=of, default=HISTORY_PAGE, length=length)
        shown = list(items)
        if request.get("includeExecutionData") is False:
            shown = [without_data(event) for event in shown]
        return {"events": shown} | _next(token)

    async def _list_map_runs(self, request: Request) -> Answer:
        arn = _arn(request)
        runs = self._states.live(arn).engine.list_map_runs(self._states.entry_of(arn).name)
        items, token = page(request, runs, of=f"map-runs/{arn}", default=LARGEST_PAGE)
        return {"mapRuns": list(items)} | _next(token)

    async def _describe_map_run(self, request: Request) -> Answer:
        arn = str(request.get("mapRunArn"))
        try:
            return self._states.live(arn).engine.describe_map_run(arn)
        except (ApiError, UsageError) as error:
            raise ApiError("ResourceNotFound", f"Map Run Does Not Exist: '{arn}'") from error

    async def _succeed(self, request: Request) -> Answer:
        try:
            output = json.loads(str(request.get("output")))
        except ValueError as error:
            raise ApiError("InvalidOutput", f"Invalid Output: '{error}'") from error
        return self._send(request, lambda token: self._states.world.tokens.send_success(token, output))

    async def _fail(self, request: Request) -> Answer:
        error, cause = str(request.get("error") or ""), request.get("cause")
        return self._send(request, lambda token: self._states.world.tokens.send_failure(token, error, cause))

    async def _beat(self, request: Request) -> Answer:
        return self._send(request, self._states.world.tokens.send_heartbeat)

    @staticmethod
    def _send(request: Request, send: Callable[[str], None]) -> Answer:
        try:
            send(str(request.get("taskToken")))
        except TaskTokenError as error:
            raise ApiError(error.code, str(error)) from error
        except StateError as error:
            raise ApiError("InvalidOutput", str(error)) from error
        return {}


def without_data(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event without what the execution worked on.

    >>> without_data({"id": 1, "passStateEnteredEventDetails": {"name": "a", "input": "{}"}})
    {'id': 1, 'passStateEnteredEventDetails': {'name': 'a'}}
    """
    return {
        key: {name: item for name, item in value.items() if name not in _DATA}
        if key.endswith("EventDetails") and isinstance(value, dict)
        else value
        for key, value in event.items()
    }


def _arn(request: Request) -> str:
    arn = request.get("executionArn")
    if not isinstance(arn, str):
        raise no_execution(arn)
    return arn


def _place(item: Mapping[str, Any]) -> tuple[float, str]:
    return item["startDate"], item["executionArn"]


def _redriven(item: Mapping[str, Any], request: Request) -> bool:
    wanted = request.get("redriveFilter")
    return wanted is None or (wanted == "REDRIVEN") == bool(item.get("redriveCount"))


def _next(token: str | None) -> Answer:
    return {} if token is None else {"nextToken": token}
