"""Amounts of money, and how often a schedule starts its DAG."""

from __future__ import annotations

import pytest

from stepweave.authoring.schedule import Cron, Every, Schedule
from stepweave.cli.costs.often import runs_per_month
from stepweave.cli.costs.telling import amount, dollars, task_lines


@pytest.mark.parametrize(
    "usd, text",
    [(0, "$0"), (1234.4, "$1,234"), (12.3, "$12.30"), (0.5, "$0.50"), (0.0024, "$0.0024"), (3.1e-6, "$0.0000031")],
)  # fmt: skip
def test_money_has_as_many_digits_as_say_something(usd: float, text: str) -> None:
    assert dollars(usd) == text


def test_amounts_are_whole_where_they_are() -> None:
    assert (amount(1_200.0), amount(0.03333)) == ("1,200", "0.0333")


def test_many_tasks_are_cut_after_the_dearest() -> None:
    lines = task_lines([(f"t{number}", float(number)) for number in range(1, 21)])
    assert lines[0].split() == ["$20.00", "t20"]
    assert lines[-1].split() == ["$78.00", "(12", "more)"]


@pytest.mark.parametrize(
    "schedule, runs",
    [
        (Every("1h"), 730),
        (Cron("0 6 * * *"), 730 / 24),
        (Cron("0 6 * * 1-5"), 730 / 24 * 5 / 7),
        (Cron("0 0 1 * *"), 1),
        (Cron("* * * * *"), 730 * 60),
        (Cron("0 0 1 1 *", timezone="Europe/Berlin"), 1 / 12),
    ],
    ids=str,
)
def test_a_schedule_tells_how_many_runs_a_month_has(schedule: Schedule, runs: float) -> None:
    assert runs_per_month(schedule) == pytest.approx(runs, rel=0.01)


def test_without_a_schedule_nobody_knows() -> None:
    assert runs_per_month(None) is None
