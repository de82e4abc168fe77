"""The virtual clock: waiting costs nothing, and everything happens in the order of its time."""

import asyncio
import time

import pytest

from stepweave.engine.clock import RealClock, VirtualClock
from stepweave.errors import UsageError


def test_time_jumps_to_the_next_timer() -> None:
    clock = VirtualClock(epoch=1000.0)

    async def main() -> list[float]:
        seen = [clock.now()]
        await asyncio.sleep(86_400 * 365)
        return [*seen, clock.now()]

    assert clock.run(main()) == [1000.0, 1000.0 + 86_400 * 365]


def test_ten_thousand_sleepers_wake_in_the_order_of_their_times() -> None:
    clock = VirtualClock()
    woken: list[tuple[float, int]] = []

    async def sleeper(number: int) -> None:
        await asyncio.sleep(number * 7919 % 1000)
        woken.append((clock.elapsed, number))

    async def main() -> None:
        await asyncio.gather(*map(sleeper, range(10_000)))

    clock.run(main())
    assert [at for at, _ in woken] == sorted(number * 7919 % 1000 for number in range(10_000))
    assert clock.elapsed == 999


def test_equal_timers_fire_in_the_order_in_which_they_were_set() -> None:
    clock, woken = VirtualClock(), []

    async def sleeper(number: int) -> None:
        await asyncio.sleep(5)
        woken.append(number)

    async def main() -> None:
        await asyncio.gather(*map(sleeper, range(100)))

    clock.run(main())
    assert woken == list(range(100))


def test_timeouts_are_virtual_too() -> None:
    clock = VirtualClock()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.sleep(60)

    clock.run(main())
    assert clock.elapsed == 30


def test_a_clock_goes_on_where_it_stopped() -> None:
    clock = VirtualClock()
    clock.run(asyncio.sleep(10))
    clock.run(asyncio.sleep(5))
    assert clock.elapsed == 15


def test_waiting_for_nothing_is_an_error_and_not_a_hang() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(UsageError, match="nothing can happen any more"):
        VirtualClock().run(main())


def test_the_real_clock_tells_the_time_of_day() -> None:
    async def main() -> str:
        return "ran"

    clock = RealClock()
    before = time.time()
    assert before <= clock.now() <= time.time()
    assert clock.run(main()) == "ran"
