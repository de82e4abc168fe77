from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from stepweave.local_aws.schedules.cron import CronError, CronExpression
from stepweave.local_aws.schedules.expressions import ExpressionError, moments_of

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo | None = None) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone or UTC).timestamp()


def following(expression: str, after: str, count: int = 1, zone: ZoneInfo | None = None) -> list[str]:
    """The next moments, as local times."""
    cron, moment, found = CronExpression.parse(expression), at(after, zone), []
    for _ in range(count):
        following_moment = cron.after(moment, zone or UTC)
        assert following_moment is not None
        moment = following_moment
        found.append(datetime.fromtimestamp(moment, zone or UTC).strftime("%Y-%m-%dT%H:%M"))
    return found


@pytest.mark.parametrize(
    "expression, after, expected",
    [
        ("0 6 * * ? *", "2026-03-01T06:00", ["2026-03-02T06:00", "2026-03-03T06:00"]),
        ("0/15 * * * ? *", "2026-03-01T23:40", ["2026-03-01T23:45", "2026-03-02T00:00"]),
        ("5,35 8-9 ? * MON-FRI *", "2026-03-06T09:10", ["2026-03-06T09:35", "2026-03-09T08:05"]),
        ("0 0 L * ? *", "2024-02-01T00:00", ["2024-02-29T00:00", "2024-03-31T00:00"]),
        ("0 0 LW * ? *", "2026-01-01T00:00", ["2026-01-30T00:00", "2026-02-27T00:00"]),
        ("0 0 1W * ? *", "2026-08-01T00:00", ["2026-08-03T00:00", "2026-09-01T00:00"]),
        ("0 0 15W * ? *", "2026-08-01T00:00", ["2026-08-14T00:00", "2026-09-15T00:00"]),
        ("0 9 ? * 2#1 *", "2026-03-03T00:00", ["2026-04-06T09:00", "2026-05-04T09:00"]),
        ("0 9 ? * 6L *", "2026-03-01T00:00", ["2026-03-27T09:00", "2026-04-24T09:00"]),
        (
            "0 9 ? * FRI-MON *",
            "2026-03-06T10:00",
            ["2026-03-07T09:00", "2026-03-08T09:00", "2026-03-09T09:00"],
        ),
        ("0 0 29 2 ? *", "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("30 12 1 JAN,JUL ? 2027/2", "2026-01-01T00:00", ["2027-01-01T12:30", "2027-07-01T12:30"]),
        ("0 0 31 * ? *", "2026-01-31T00:00", ["2026-03-31T00:00", "2026-05-31T00:00"]),
    ],
)
def test_a_cron_expression_comes_round_when_aws_says(
    expression: str, after: str, expected: list[str]
) -> None:
    assert following(expression, after, len(expected)) == expected


def test_a_local_time_that_does_not_exist_is_left_out() -> None:
    assert following("30 2 * * ? *", "2026-03-28T12:00", 2, BERLIN) == [
        "2026-03-30T02:30",
        "2026-03-31T02:30",
    ]


def test_a_local_time_that_comes_twice_counts_once() -> None:
    found = following("30 2 * * ? *", "2026-10-24T12:00", 2, BERLIN)

    assert found == ["2026-10-25T02:30", "2026-10-26T02:30"]
    first = CronExpression.parse("30 2 * * ? *").after(at("2026-10-24T12:00", BERLIN), BERLIN)
    assert first == at("2026-10-25T00:30")


def test_a_schedule_follows_the_clocks_of_its_zone() -> None:
    moments = moments_of("cron(0 6 * * ? *)", "Europe/Berlin", first=0.0)

    assert moments(at("2026-01-15T12:00")) == at("2026-01-16T05:00")
    assert moments(at("2026-07-15T12:00")) == at("2026-07-16T04:00")


def test_years_that_are_over_never_come() -> None:
    assert CronExpression.parse("0 0 1 1 ? 2020").after(at("2026-01-01T00:00"), UTC) is None


@pytest.mark.parametrize(
    "expression",
    [
        "0 6 * * *",
        "0 6 * * * *",
        "0 6 ? * ? *",
        "60 6 * * ? *",
        "0 6 * FOO ? *",
        "0/0 6 * * ? *",
        "0 6 ? * 2#6 *",
    ],
)
def test_an_expression_that_aws_refuses_is_refused(expression: str) -> None:
    with pytest.raises(CronError):
        CronExpression.parse(expression)


def test_a_rate_keeps_its_distance_from_its_beginning() -> None:
    moments = moments_of("rate(1 hour)", first=1000.0)

    assert [moments(after) for after in (0.0, 999.9, 1000.0, 4599.0, 4600.0)] == [
        1000,
        1000,
        4600,
        4600,
        8200,
    ]


def test_a_one_time_schedule_comes_once_in_its_zone() -> None:
    moments = moments_of("at(2026-07-01T06:00:00)", "Europe/Berlin", first=0.0)

    assert moments(0.0) == at("2026-07-01T04:00")
    assert moments(at("2026-07-01T04:00")) is None


@pytest.mark.parametrize(
    "expression", ["rate(0 minutes)", "rate(5 seconds)", "at(soon)", "every day", "cron(1 2)"]
)
def test_other_texts_are_no_expressions(expression: str) -> None:
    with pytest.raises(ExpressionError):
        moments_of(expression, first=0.0)


def test_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(ExpressionError, match="Mars"):
        moments_of("cron(0 6 * * ? *)", "Mars/Base", first=0.0)
