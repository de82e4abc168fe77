"""The events of an engine as a stream."""

from __future__ import annotations

import asyncio

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.parsing import parse
from stepweave.engine.stream import EventStream
from tests.engine.building import machine, passing


def test_a_stream_tells_what_happens_as_it_happens_and_ends_with_the_execution() -> None:
    definition = machine(("a", passing()), ("w", {"Type": "Wait", "Seconds": 60}))
    clock, stream = VirtualClock(), EventStream(until="run")
    engine = Engine({"main": parse(definition, "main")}, {}, clock=clock, listeners=[stream])
    told: list[tuple[str, str | None, float]] = []

    async def main() -> None:
        engine.start("main", None, "run")
        async for event in stream:
            told.append((event.kind, event.state, clock.elapsed))

    clock.run(main())
    assert told == [
        ("execution_started", None, 0),
        ("state_entered", "a", 0),
        ("state_exited", "a", 0),
        ("state_entered", "w", 0),
        ("state_exited", "w", 60),
        ("execution_ended", None, 60),
    ]


def test_a_stream_without_an_end_goes_on_from_execution_to_execution() -> None:
    clock, stream = VirtualClock(), EventStream()
    engine = Engine({"main": parse(machine(("a", passing())), "main")}, {}, clock=clock, listeners=[stream])

    async def main() -> list[str]:
        heard: list[str] = []

        async def hear() -> None:
            async for event in stream:
                heard.append(event.execution)

        hearing = asyncio.create_task(hear())
        for name in ("one", "two"):
            await engine.run("main", None, name)
        await asyncio.sleep(1)
        hearing.cancel()
        return heard

    assert clock.run(main()) == ["one"] * 4 + ["two"] * 4
