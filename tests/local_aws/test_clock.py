from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from stepweave.errors import UsageError
from stepweave.local_aws.clock import LayerClock
from stepweave.local_aws.timing import KeptClock, Timing, moved, shown


class Hands:
    """The clock of this machine, moved by the test."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_time_passes_as_fast_as_is_said() -> None:
    hands = Hands()
    clock = LayerClock(speed=60, real=hands)

    hands.at += 2

    assert clock.now() == 1120
    assert clock.ahead == 118


def test_a_change_counts_from_then_on() -> None:
    hands = Hands()
    clock = LayerClock(real=hands)

    hands.at += 10
    clock.set(speed=100)
    hands.at += 1
    clock.set(now=5000)
    hands.at += 1

    assert clock.now() == 5100
    assert [clock.from_real(at) for at in (990, 1005, 1010.5, 1011, 1012)] == [990, 1005, 1060, 5000, 5100]


def test_the_clock_never_goes_back() -> None:
    clock = LayerClock(real=Hands())

    with pytest.raises(UsageError, match="only goes forward"):
        clock.set(now=999)


@pytest.mark.parametrize("speed", [0, -1, 1e9, float("nan")])
def test_a_speed_that_makes_no_sense_is_refused(speed: float) -> None:
    with pytest.raises(UsageError):
        LayerClock(speed=speed)


def test_what_waits_waits_in_the_time_of_the_clock() -> None:
    clock = LayerClock(speed=100_000)
    began = clock.now()

    clock.run(asyncio.sleep(20_000))

    assert clock.now() - began >= 20_000


def test_moving_the_clock_wakes_what_waits_for_a_later_time() -> None:
    clock = LayerClock()

    async def main() -> None:
        sleeping = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        asyncio.get_running_loop().run_in_executor(None, lambda: clock.set(now=clock.now() + 7200))
        await sleeping

    began = clock.now()
    clock.run(main())

    assert clock.now() - began >= 7200


def test_a_timing_runs_things_in_its_own_thread() -> None:
    timing = Timing(LayerClock(speed=1000))
    try:
        assert timing.submit(asyncio.sleep(60, "slept")).result() == "slept"
        assert timing.call(lambda a, b: a + b, 1, 2) == 3
        with pytest.raises(ZeroDivisionError):
            timing.call(lambda: 1 // 0)
    finally:
        timing.close()


def test_the_clock_is_set_by_a_wish() -> None:
    clock = LayerClock(real=Hands())

    assert moved(clock, {"now": "2026-03-01T06:00:00Z"}) == {"now": "2026-03-01T06:00:00.000Z", "speed": 1.0}
    assert moved(clock, {"advance": 3600, "speed": 60}) == {"now": "2026-03-01T07:00:00.000Z", "speed": 60.0}
    assert shown(clock) == {"now": "2026-03-01T07:00:00.000Z", "speed": 60.0}


@pytest.mark.parametrize(
    "wish",
    [
        {"now": "yesterday"},
        {"advance": "soon"},
        {"speed": 0},
        {"now": "2026-03-01T06:00:00Z", "advance": 1},
        {"then": 1},
        {"now": 5},
        {"advance": -5},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(wish: dict[str, Any]) -> None:
    clock = LayerClock(real=Hands())

    with pytest.raises(UsageError):
        moved(clock, wish)

    assert clock.now() == 1000


def test_many_may_set_the_clock_and_it_is_kept(tmp_path: Path) -> None:
    clock = LayerClock()
    kept = KeptClock(tmp_path / "clock.json")
    clock.on_change(lambda: kept.write(clock))

    with ThreadPoolExecutor(8) as threads:
        done = [threads.submit(moved, clock, {"advance": 1}) for _ in range(200)]
        for one in done:
            one.result()

    assert KeptClock(tmp_path / "clock.json").read() == pytest.approx(clock.ahead, abs=1)


def test_a_clock_that_was_never_moved_goes_with_this_machine(tmp_path: Path) -> None:
    kept = KeptClock(tmp_path / "clock.json")

    kept.write(LayerClock(real=Hands()))

    assert kept.read() == 0.0
    assert list(tmp_path.iterdir()) == []
