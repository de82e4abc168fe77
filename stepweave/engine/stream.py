"""`EventStream`: the events of an engine as they happen, for somebody who waits for them: a UI, a log, a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from stepweave.engine.events import Event


class EventStream:
    """A listener of an engine, and an asynchronous iterator over what it heard.

    It ends when the execution ``until`` has ended, or never. It keeps every event until it is taken; use it in the
    event loop of the engine.

        stream = EventStream(until="run-1")
        engine = Engine(machines, integrations, listeners=[stream])
        engine.start("main", {}, "run-1")
        async for event in stream: ...
    """

    def __init__(self, until: str | None = None) -> None:
        self._until = until
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()

    def __call__(self, event: Event) -> None:
        """Hear of ``event``."""
        self._events.put_nowait(event)
        if event.kind == "execution_ended" and event.execution == self._until:
            self._events.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self._events.get()) is not None:
            yield event
