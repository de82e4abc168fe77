"""`in_thread_if_needed`: an event loop of one's own, wherever one is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_thread_if_needed(run: Callable[[], T]) -> T:
    """What ``run`` gives; in a thread of its own where an event loop runs, as in an ``async`` test."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run()
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(run())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
