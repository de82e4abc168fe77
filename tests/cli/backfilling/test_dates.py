"""The logical dates of a range."""

from datetime import UTC, datetime

import pytest

from stepweave.authoring.schedule import Cron, Every, Schedule
from stepweave.cli.backfilling.dates import logical_dates, run_id_of
from stepweave.errors import UsageError

BERLIN = Cron("0 6 * * 1-5", timezone="Europe/Berlin")


def texts(schedule: Schedule, start: str, end: str) -> list[str]:
    return [f"{moment:%m-%dT%H:%M}" for moment in logical_dates(schedule, start, end)]


@pytest.mark.parametrize(
    "schedule, start, end, expected",
    [
        (Cron("@daily"), "2026-01-30", "2026-02-01", ["01-30T00:00", "01-31T00:00", "02-01T00:00"]),
        (BERLIN, "2026-03-27", "2026-03-30", ["03-27T05:00", "03-30T04:00"]),
        (BERLIN, "2026-03-27T06:00", "2026-03-27T06:00", ["03-27T05:00"]),
        (BERLIN, "2026-03-27T06:01", "2026-03-30T05:59", []),
        (
            Every("6h"),
            "2026-01-01",
            "2026-01-01",
            ["01-01T00:00", "01-01T06:00", "01-01T12:00", "01-01T18:00"],
        ),
        (Every("1d"), "2026-01-01T12:00+01:00", "2026-01-02T12:00+01:00", ["01-01T11:00", "01-02T11:00"]),
    ],
)
def test_both_ends_are_included_in_the_time_zone_of_the_schedule(
    schedule: Schedule, start: str, end: str, expected: list[str]
) -> None:
    if expected:
        assert texts(schedule, start, end) == expected
    else:
        with pytest.raises(UsageError, match="has no date from"):
            texts(schedule, start, end)


@pytest.mark.parametrize(
    "start, end, message",
    [
        ("soon", "2026-01-01", "--start 'soon' is no date; expected 2026-01-31"),
        ("2026-01-02", "2026-01-01", "--end 2026-01-01 is before --start 2026-01-02"),
        ("1900-01-01", "2026-01-01", "more than 10,000 dates"),
    ],
)
def test_a_range_that_cannot_be_meant_is_refused(start: str, end: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        logical_dates(Cron("@hourly"), start, end)


def test_the_id_of_a_run_names_dag_date_and_number() -> None:
    day = datetime(2026, 1, 2, tzinfo=UTC)
    assert run_id_of("sales", day) == "backfill__sales__2026-01-02"
    assert run_id_of("sales", day.replace(hour=6), 2) == "backfill__sales__2026-01-02T060000__2"
