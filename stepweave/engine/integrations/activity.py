"""Activities: tasks that workers poll for.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Any

from stepweave.engine.integrations.base import Call, Integration, unknown_name
from stepweave.engine.integrations.names import known_name
from stepweave.engine.machine import Task
from stepweave.engine.payload import to_text
from stepweave.errors import Problem, UsageError

POLL_SECONDS = 60.0
"""How long GetActivityTask waits for a task:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetActivityTask.html."""


class Activities(Integration):
    """The activities of an engine: tasks in the order in which they were scheduled, each given to one worker."""

    def __init__(self, names: Iterable[str] = (), *, closed: bool = False) -> None:
        """``names`` are known from the start; ``closed``: a definition may name no others."""
        self._closed = closed
        self._queues: dict[str, _Queue] = {name: _Queue() for name in names}

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        if self._closed and known_name(task.target, self._queues) is None:
            yield unknown_name("Resource", task.target, self._queues, "activity")

    async def run(self, call: Call) -> Any:
        """``{"workerName": …}`` of the worker that took the task; its token ends it."""
        waiting = _Waiting(call)
        queue = self._queue(call.target)
        queue.add(waiting)
        try:
            name = await waiting.taken
        finally:
            queue.remove(waiting)
        return {} if name is None else {"workerName": name}

    async def get_task(
        self, arn: str, worker_name: str | None = None, timeout: float = POLL_SECONDS
    ) -> dict[str, str] | None:
        """GetActivityTask: ``{"taskToken", "input"}`` of the next task; None when none came within ``timeout`` seconds.

        ``arn`` may be the name alone. Raises ``UsageError`` for an activity that is not there.
        """
        if self._closed and known_name(arn, self._queues) is None:
            raise UsageError(f"no activity {arn!r}; there are: {', '.join(sorted(self._queues)) or 'none'}")
        queue = self._queue(arn)
        try:
            async with asyncio.timeout(timeout):
                waiting = await queue.next()
        except TimeoutError:
            return None
        waiting.taken.set_result(worker_name)
        return {"taskToken": str(waiting.call.token), "input": to_text(waiting.call.arguments)}

    def pending(self, arn: str) -> int:
        """How many tasks wait for a worker."""
        return len(self._queue(arn).tasks)

    def _queue(self, arn: str) -> _Queue:
        return self._queues.setdefault(known_name(arn, self._queues) or arn.rpartition(":")[2], _Queue())


class _Waiting:
    """A task that no worker has taken."""

    __slots__ = ("call", "taken")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.taken: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()


class _Queue:
    """The waiting tasks of one activity."""

    def __init__(self) -> None:
        self.tasks: deque[_Waiting] = deque()
        self._pollers: deque[asyncio.Future[None]] = deque()

    def add(self, waiting: _Waiting) -> None:
        self.tasks.append(waiting)
        self._wake()

    def remove(self, waiting: _Waiting) -> None:
        """Forget a task that was not taken; one that was is no longer here."""
        if waiting in self.tasks:
            self.tasks.remove(waiting)

    async def next(self) -> _Waiting:
        """The first task, removed; pollers are served in the order in which they came."""
        while (found := self._first()) is None:
            poller: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._pollers.append(poller)
            try:
                await poller
            except asyncio.CancelledError:
                self._leave(poller)
                raise
        return found

    def _first(self) -> _Waiting | None:
        while self.tasks:
            waiting = self.tasks.popleft()
            if not waiting.taken.done():  # else its state was left in this very moment
                return waiting
        return None

    def _leave(self, poller: asyncio.Future[None]) -> None:
        """A poller goes; if it had been woken, the next one is, for the task that it leaves."""
        if poller in self._pollers:
            self._pollers.remove(poller)
        elif self.tasks:
            self._wake()

    def _wake(self) -> None:
        while self._pollers:
            poller = self._pollers.popleft()
            if not poller.done():
                poller.set_result(None)
                return
