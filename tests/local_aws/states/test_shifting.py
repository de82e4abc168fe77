from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine.clock import VirtualClock
from stepweave.local_aws.states.shifting import Shift, Shifting

ALIAS = "arn:machine:live"
OLD, NEW = "arn:machine:1", "arn:machine:2"


class Aliases:
    """Where an alias leads, as time passes."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock(0.0)
        self.routes: list[tuple[float, dict[str, int]]] = []
        self.alarms: set[str] = set()
        self.shifting = Shifting(self._route, self.alarms.__contains__, self._submit, folder / "shifts.json")

    def _route(self, alias: str, routes: Sequence[tuple[str, int]]) -> None:
        assert alias == ALIAS
        self.routes.append((self.clock.elapsed, dict(routes)))

    @staticmethod
    def _submit(work: Any) -> Any:
        return asyncio.get_running_loop().create_task(work)

    def after(self, minutes: float, begin: Shift | None = None) -> list[tuple[float, dict[str, int]]]:
        """Every route so far, with the minutes at which it was taken."""

        async def main() -> None:
            if begin is not None:
                self.shifting.begin(begin)
            else:
                self.shifting.resume()
            await asyncio.sleep(minutes * 60)

        self.clock.run(main())
        return [(at / 60, routes) for at, routes in self.routes]


def shift(kind: str, **fields: Any) -> Shift | None:
    preference = {"StateMachineVersionArn": NEW, "Type": kind, "Percentage": 20, "Interval": 10}
    return Shift.of(ALIAS, OLD, preference | fields)


def test_a_canary_goes_first_and_the_rest_follows(tmp_path: Path) -> None:
    found = Aliases(tmp_path).after(30, shift("CANARY"))

    assert found == [(0, {NEW: 20, OLD: 80}), (10, {NEW: 100})]


def test_a_linear_shift_goes_in_equal_steps(tmp_path: Path) -> None:
    found = Aliases(tmp_path).after(60, shift("LINEAR", Percentage=40))

    assert found == [(0, {NEW: 40, OLD: 60}), (10, {NEW: 80, OLD: 20}), (20, {NEW: 100})]


@pytest.mark.parametrize("fields", [{"Type": "ALL_AT_ONCE"}, {"StateMachineVersionArn": OLD}])
def test_what_goes_over_at_once_is_no_shift(fields: dict[str, Any]) -> None:
    assert shift("CANARY", **fields) is None


def test_an_alarm_takes_the_alias_back(tmp_path: Path) -> None:
    aliases = Aliases(tmp_path)
    one = shift("CANARY", Alarms=["failing", "unknown"])

    async def alarm() -> None:
        await asyncio.sleep(240)
        aliases.alarms.add("failing")

    async def main() -> None:
        assert one is not None
        aliases.shifting.begin(one)
        await asyncio.gather(alarm(), asyncio.sleep(1200))

    aliases.clock.run(main())

    assert aliases.routes == [(0, {NEW: 20, OLD: 80}), (240, {OLD: 100})]


def test_a_shift_goes_on_after_a_restart(tmp_path: Path) -> None:
    first = Aliases(tmp_path)
    first.after(15, shift("LINEAR", Percentage=40))

    second = Aliases(tmp_path)

    assert second.after(30) == [(0, {NEW: 80, OLD: 20}), (10, {NEW: 100})]
    assert Aliases(tmp_path).after(30) == []


def test_another_deployment_ends_the_shift_before(tmp_path: Path) -> None:
    aliases = Aliases(tmp_path)
    one = shift("CANARY")
    other = shift("CANARY", StateMachineVersionArn="arn:machine:3", Percentage=50)

    async def main() -> None:
        assert one is not None
        assert other is not None
        aliases.shifting.begin(one)
        await asyncio.sleep(300)
        aliases.shifting.begin(other)
        await asyncio.sleep(3000)

    aliases.clock.run(main())

    assert [routes for _, routes in aliases.routes] == [
        {NEW: 20, OLD: 80},
        {"arn:machine:3": 50, OLD: 50},
        {"arn:machine:3": 100},
    ]
