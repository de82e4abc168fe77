"""`call(function, arguments)`: the value of a plain or an async function."""

from __future__ import annotations

import contextvars
import importlib
import threading
from collections.abc import Callable
from typing import Any


def call(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """What ``function`` returns; a coroutine is run to its end."""
    result = function(**arguments)
    return _awaited(result) if hasattr(result, "__await__") else result


def _awaited(awaitable: Any) -> Any:
    # Imported only here: asyncio is the largest import of the standard library that the runtime could have.
    asyncio = importlib.import_module("asyncio")

    async def run() -> Any:
        return await awaitable

    if asyncio._get_running_loop() is None:
        return asyncio.run(run())
    # The caller's thread has an event loop already (tasks in the process of the engine), which must not be re-entered.
    outcome: list[Any] = []
    context = contextvars.copy_context()

    def target() -> None:
        try:
            outcome.extend((asyncio.run(run()), None))
        except BaseException as error:
            outcome.extend((None, error))

    thread = threading.Thread(target=context.run, args=(target,), name="stepweave-async-task")
    thread.start()
    thread.join()
    value, error = outcome
    if error is not None:
        raise error
    return value
