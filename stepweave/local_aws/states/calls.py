"""What a Task of an execution calls in the local AWS: functions, Batch jobs, and other services in their own time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stepweave.engine.failures import TASK_FAILED, TIMEOUT, StateError
from stepweave.engine.integrations.base import TOKEN_SUFFIX, Call, Integration, unusable
from stepweave.engine.integrations.lambda_invoke import error_type
from stepweave.engine.machine import Task
from stepweave.engine.payload import to_text
from stepweave.errors import Problem
from stepweave.local_aws.states.emulator import Functions, Jobs, code_of

Speed = Callable[[], float]
"""How many seconds pass on the engine's clock for each that really passes."""

_LOOK_SECONDS = 5.0
"""How often it is looked how much time has really passed, at the least: the clock may be set meanwhile."""
_FUNCTION = "lambda:function"
_ACCEPTED = 202
_NO_CONTENT = 204
_OWN_KEYS = frozenset(("tags", "parameters", "options", "logOptions", "labels"))
"""Members of Batch's shapes whose keys are the user's."""


class InRealTime(Integration):
    """An integration whose calls really take their time: it is not over sooner because the clock is fast, or is moved.

    What waits for a person's answer, or another program's, waits by the clock all the same.
    """

    def __init__(self, inner: Integration, speed: Speed) -> None:
        self._inner = inner
        self._speed = speed

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        return self._inner.check(task, machines)

    def keeps_time(self, resource: str) -> bool:
        return not resource.endswith(TOKEN_SUFFIX)

    async def run(self, call: Call) -> Any:
        if call.timeout_seconds is None or not self.keeps_time(call.resource):
            return await self._inner.run(call)
        running = asyncio.ensure_future(self._inner.run(call))
        limit = asyncio.ensure_future(self._really(call.timeout_seconds))
        try:
            done, _ = await asyncio.wait((running, limit), return_when=asyncio.FIRST_COMPLETED)
            if running not in done:
                raise StateError(TIMEOUT)
            return running.result()
        finally:
            limit.cancel()
            await _ended(running)

    async def _really(self, seconds: float) -> None:
        """Return when so much time has passed on this machine."""
        over = time.monotonic() + seconds
        while (left := over - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _LOOK_SECONDS) * self._speed())


async def _ended(running: asyncio.Future[Any]) -> None:
    """Return when a call that nobody waits for any more has stopped what it started."""
    if not running.done():
        running.cancel()
        await asyncio.wait((running,))
    if not running.cancelled():
        running.exception()


class InvokeFunction(Integration):
    """``lambda:invoke``, and functions named by ``Resource`` itself."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    async def run(self, call: Call) -> Any:
        bare = call.resource == _FUNCTION
        arguments = call.arguments if isinstance(call.arguments, dict) else {}
        name = call.target if bare else arguments.get("FunctionName")
        if not isinstance(name, str):
            raise unusable(call.arguments, "The value for the field 'FunctionName' must be a STRING")
        given = call.arguments if bare else arguments.get("Payload")
        payload = to_text({} if given is None else given).encode("utf-8", "surrogatepass")
        qualifier = str(arguments.get("Qualifier") or "") if not bare else ""
        match arguments.get("InvocationType") if not bare else None:
            case "DryRun":
                return {"Payload": "", "StatusCode": _NO_CONTENT}
            case "Event":
                await _refusable("Lambda", self._functions.invoke_later, name, payload, qualifier)
                return {"Payload": "", "StatusCode": _ACCEPTED}
        ended = await _refusable("Lambda", self._functions.invoke, name, payload, qualifier)
        text = ended.payload.decode("utf-8", "surrogatepass")
        if ended.function_error:
            raise StateError(error_type(text), text)
        result = json.loads(text) if text else ""
        return (
            result
            if bare
            else {"ExecutedVersion": ended.executed_version, "Payload": result, "StatusCode": 200}
        )


class SubmitJob(Integration):
    """``batch:submitJob``, also with ``.sync``: then the job ends with its state."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def run(self, call: Call) -> Any:
        if not isinstance(call.arguments, dict):
            raise unusable(call.arguments, "Arguments must be an OBJECT")
        request = lower_camel(call.arguments)
        parameters = request.get("parameters")
        if isinstance(parameters, dict):
            request["parameters"] = {name: _as_text(value) for name, value in parameters.items()}
        job_id = await _refusable("Batch", self._jobs.submit, request)
        try:
            detail = await asyncio.to_thread(self._jobs.describe, job_id)
            answer = {name: detail.get(name) for name in ("jobArn", "jobId", "jobName")}
            if not call.resource.endswith(".sync"):
                return pascal(answer)
            call.submitted(pascal(answer))
            detail = pascal(await self._ended(job_id))
        except asyncio.CancelledError:
            # Stopped, timed out or failed beside it: nobody wants the job any more.
            self._terminate(job_id)
            raise
        if detail.get("Status") != "SUCCEEDED":
            raise StateError(TASK_FAILED, to_text(detail))
        return detail

    async def _ended(self, job_id: str) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[dict[str, Any]] = loop.create_future()

        def settle(detail: dict[str, Any]) -> None:
            if not future.done():
                future.set_result(detail)

        def ended(detail: dict[str, Any]) -> None:
            with contextlib.suppress(RuntimeError):  # the server has ended meanwhile
                loop.call_soon_threadsafe(settle, detail)

        self._jobs.when_ended(job_id, ended)
        return await future

    def _terminate(self, job_id: str) -> None:
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, self._jobs.terminate, job_id, "Terminated by Step Functions")


async def _refusable(service: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What ``function`` gives, called in a thread; raises ``StateError`` with the service's error."""
    try:
        return await asyncio.to_thread(function, *arguments)
    except Exception as error:
        code = code_of(error)
        name = code if code.endswith("Exception") else f"{code}Exception"
        raise StateError(f"{service}.{name}", str(error)) from error


def pascal(value: Any) -> Any:
    """``value`` with the names of members as a task sees them.

    >>> pascal({"jobId": "1", "tags": {"my-tag": "x"}})
    {'JobId': '1', 'Tags': {'my-tag': 'x'}}
    """
    return _renamed(value, str.upper)


def lower_camel(value: Any) -> Any:
    """``value`` with the names of members as they are on the wire.

    >>> lower_camel({"JobName": "a", "ContainerOverrides": {"Environment": [{"Name": "K", "Value": "v"}]}})
    {'jobName': 'a', 'containerOverrides': {'environment': [{'name': 'K', 'value': 'v'}]}}
    """
    return _renamed(value, str.lower)


def _renamed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_renamed(item, change) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        change(name[:1]) + name[1:]: item
        if name[:1].lower() + name[1:] in _OWN_KEYS
        else _renamed(item, change)
        for name, item in value.items()
    }


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else to_text(value)
