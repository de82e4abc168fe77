"""`Handlers`: Lambda functions as their authors wrote them, ``handler(event, context)``, called on this machine."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from stepweave.engine.callables import InlineFunction, resolve_handler
from stepweave.engine.failures import FunctionError
from stepweave.engine.lambda_context import LONGEST_SECONDS, LambdaContext
from stepweave.engine.place import ACCOUNT, REGION
from stepweave.engine.workers import OnLog, WorkerPool

TIMED_OUT = "Sandbox.Timedout"
"""Lambda's error of a function that did not end in time:
https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html."""

DEFAULT_CONCURRENCY = 4
"""Worker processes of one function at most, unless it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A function and what it is configured with."""

    handler: str
    """``module:function``, called with the event and the context."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of this process."""
    timeout_seconds: float | None = None
    """Longest duration of a call; None: no limit."""
    memory_mib: int = 128
    """What the context says; not enforced."""
    concurrency: int = DEFAULT_CONCURRENCY
    """Most calls at once; more wait."""


class Handlers:
    """Functions by name, each in worker processes of its own, as Lambda keeps them apart. ``close`` ends these."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        *,
        path: Sequence[str | Path] = (),
        directory: str | Path | None = None,
        inline: bool = False,
        on_log: OnLog | None = None,
    ) -> None:
        """``path`` comes first in the workers' ``sys.path``; ``inline`` calls the functions in this process, without
        their environment and time limits: for a debugger and for the virtual clock.
        """
        self._pools: list[WorkerPool] = []
        self.functions: dict[str, Callable[[Any], Awaitable[Any]]] = {}
        """The functions as ``lambda:invoke`` calls them."""
        for name, handler in handlers.items():
            requests = _Requests(name, handler)
            if inline:
                self.functions[name] = InlineFunction(requests.inline())
                continue
            environment = {**handler.environment, "AWS_LAMBDA_FUNCTION_NAME": name}
            pool = WorkerPool(
                handler.concurrency, path=path, environment=environment, directory=directory, on_log=on_log
            )
            self._pools.append(pool)
            self.functions[name] = requests.in_workers(pool)

    async def close(self) -> None:
        """End the worker processes."""
        for pool in self._pools:
            await pool.close()


class _Requests:
    """The invocations of one function."""

    def __init__(self, name: str, handler: Handler) -> None:
        self._name = name
        self._handler = handler
        self._numbers = itertools.count(1)

    def in_workers(self, pool: WorkerPool) -> Callable[[Any], Awaitable[Any]]:
        """Calls the handler in a worker of ``pool``, and stops it there when its time is over."""
        handler, limit = self._handler.handler, self._handler.timeout_seconds

        async def call(event: Any) -> Any:
            context = self._context()
            deadline = asyncio.timeout(None)
            try:
                async with deadline:
                    return await pool.call(
                        handler, event, context=context, on_ready=lambda: _arm(deadline, limit)
                    )
            except TimeoutError as error:
                if not deadline.expired():
                    raise
                text = (
                    f"RequestId: {context['aws_request_id']} Error: Task timed out after {limit:.2f} seconds"
                )
                cause = json.dumps({"errorType": TIMED_OUT, "errorMessage": text})
                raise FunctionError(TIMED_OUT, cause) from error

        return call

    def inline(self) -> Callable[[Any], Any]:
        """Calls the handler in this process."""

        def call(event: Any) -> Any:
            return resolve_handler(self._handler.handler)(event, LambdaContext(**self._context()))

        return call

    def _context(self) -> dict[str, Any]:
        """The fields of the next invocation's context."""
        bits = Random(f"{self._name}/{next(self._numbers)}").getrandbits(128)
        return {
            "function_name": self._name,
            "invoked_function_arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self._name}",
            "aws_request_id": str(uuid.UUID(int=bits, version=4)),
            "memory_limit_in_mb": str(self._handler.memory_mib),
            "timeout_seconds": self._handler.timeout_seconds or LONGEST_SECONDS,
        }


def _arm(deadline: asyncio.Timeout, seconds: float | None) -> None:
    """Let the time run from now: loading the function is not the function's time, as on Lambda."""
    if seconds is not None:
        deadline.reschedule(asyncio.get_running_loop().time() + seconds)
