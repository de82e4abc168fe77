"""`rendezvous_function`: the gates of one engine, in memory."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from stepweave.engine.integrations.lambda_invoke import Function
from stepweave.engine.tokens import TaskTokenError, Tokens
from stepweave.runtime.memory_gates import MemoryGates
from stepweave.runtime.rendezvous import rendezvous


def rendezvous_function(tokens: Tokens) -> Function:
    """The function behind ``${Rendezvous}``, which completes the task tokens of an engine."""
    gates, port = MemoryGates(), EngineTokens(tokens)

    async def meet(event: Any) -> Any:
        return rendezvous(event, gates, port)

    return meet


class EngineTokens:
    """Task tokens of the engine, for rendezvous and approvals: an answer to a task that has ended is ignored."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def send_success(self, token: str, output: str) -> None:
        with contextlib.suppress(TaskTokenError):
            self._tokens.send_success(token, json.loads(output))

    def send_failure(self, token: str, error: str, cause: str) -> None:
        with contextlib.suppress(TaskTokenError):
            self._tokens.send_failure(token, error, cause)
