"""`Tokens`: task tokens, by which something outside a state ends it.

AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

from stepweave.engine import payload
from stepweave.engine.failures import TIMEOUT, StateError
from stepweave.errors import StepweaveError


class TaskTokenError(StepweaveError):
    """A token cannot be used: it was never given out, or its task has ended."""

    def __init__(self, code: Literal["TaskDoesNotExist", "TaskTimedOut"], text: str) -> None:
        self.code = code
        super().__init__(text)


Note: TypeAlias = Callable[[tuple[Any, ...]], None]
"""Brings to safety what a token is sent back with: the output alone, or error and cause."""


class _Waiting:
    """A task that waits for its token."""

    __slots__ = ("future", "heartbeat_seconds", "note", "timer")

    def __init__(self, future: asyncio.Future[Any], note: Note) -> None:
        self.future = future
        self.note = note
        self.heartbeat_seconds: float | None = None
        self.timer: asyncio.TimerHandle | None = None

    def beat(self) -> None:
        """Start the heartbeat interval anew."""
        if self.timer is not None:
            self.timer.cancel()
        if self.heartbeat_seconds is not None:
            self.timer = asyncio.get_running_loop().call_later(self.heartbeat_seconds, self.miss)

    def miss(self) -> None:
        if not self.future.done():
            # Recorded on AWS as States.Timeout without a cause; catchers may name either (docs/parity.md).
            self.future.set_exception(StateError(TIMEOUT, None, "heartbeat"))


class Tokens:
    """The tokens of one engine. Call it from the engine's event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._closed: set[str] = set()

    def open(self, token: str, note: Note) -> None:
        """Make ``token`` usable; ``note`` is called before whoever sends it back goes on."""
        self._waiting[token] = _Waiting(asyncio.get_running_loop().create_future(), note)

    def set_heartbeat(self, token: str, seconds: float | None) -> None:
        """Let the heartbeat interval be ``seconds``, starting now: when the service has taken the call."""
        waiting = self._waiting[token]
        waiting.heartbeat_seconds = seconds
        if not waiting.future.done():
            waiting.beat()

    async def wait(self, token: str) -> Any:
        """The output that completes the token; raises ``StateError`` when the task is failed or its heart stops."""
        return await self._waiting[token].future

    def close(self, token: str) -> None:
        """Make ``token`` useless: its task has ended."""
        waiting = self._waiting.pop(token)
        if waiting.timer is not None:
            waiting.timer.cancel()
        if waiting.future.done():
            if not waiting.future.cancelled():
                waiting.future.exception()
        else:
            waiting.future.cancel()
        self._closed.add(token)

    def closed(self, tokens: Iterable[str]) -> None:
        """Know ``tokens`` as those of tasks that ended before the engine was left."""
        self._closed.update(tokens)

    def send_success(self, token: str, output: Any) -> None:
        """End the token's task with ``output`` (JSON data)."""
        value, _ = payload.accept(output, "the output of SendTaskSuccess")
        waiting = self._find(token)
        waiting.note((value,))
        waiting.future.set_result(value)

    def send_failure(self, token: str, error: str, cause: str | None = None) -> None:
        """Fail the token's task."""
        failure = StateError(error, cause)
        waiting = self._find(token)
        waiting.note((failure.error, failure.cause))
        waiting.future.set_exception(failure)

    def send_heartbeat(self, token: str) -> None:
        """Say that the token's task is alive."""
        self._find(token).beat()

    def _find(self, token: str) -> _Waiting:
        waiting = self._waiting.get(token)
        if waiting is not None and not waiting.future.done():
            return waiting
        if waiting is not None or token in self._closed:
            raise TaskTokenError("TaskTimedOut", "the task of this token has ended")
        raise TaskTokenError("TaskDoesNotExist", "no task was given this token")
