"""Several lines of one state, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

_WAVE = 256
"""Lines that start in one turn of the event loop. Those that end quickly make room before the next ones start, so ten
thousand of them are not all in memory at once."""


async def run_all(run: Callable[[int], Awaitable[Any]], count: int, limit: int) -> list[Any]:
    """The results of ``run(0) … run(count - 1)``, at most ``limit`` of them at once.

    When one fails the others are cancelled, and have ended before its error is raised; so they have when the caller is
    cancelled.
    """
    results: list[Any] = [None] * count
    failures: list[BaseException] = []
    remaining = iter(range(count))
    exhausted = False

    async def work() -> None:
        nonlocal exhausted
        for index in remaining:
            try:
                results[index] = await run(index)
            except Exception as error:
                failures.append(error)
                raise
        exhausted = True

    tasks: list[asyncio.Task[None]] = []
    try:
        while len(tasks) < min(count, limit) and not failures and not exhausted:
            wave = min(count, limit, len(tasks) + _WAVE)
            tasks += [asyncio.create_task(work()) for _ in range(wave - len(tasks))]
            if wave < min(count, limit):
                await asyncio.sleep(0)
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        first = failures[0] if failures else None
        await _cancel(tasks)
    if first is not None:
        raise first
    return results


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    """End the tasks that still run, however often the caller is cancelled meanwhile."""
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    cancelled: asyncio.CancelledError | None = None
    while running:
        try:
            await asyncio.wait(running)
        except asyncio.CancelledError as error:
            cancelled = error
        running = [task for task in running if not task.done()]
    for task in tasks:
        if not task.cancelled():
            task.exception()
    if cancelled is not None:
        raise cancelled
