"""Schedules fire at the same moments in EventBridge Scheduler as cron says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import assume, given
from hypothesis import strategies as st

from infra.dags.cron import MAX_EXPRESSION, schedule_expression
from stepweave.errors import UsageError
from tests.infra.dags.eventbridge_cron import comes_true


@pytest.mark.parametrize(
    "cron, expected",
    [
        ("0 6 * * 1-5", "cron(0 6 ? * MON-FRI *)"),
        ("0 6 * * MON-FRI", "cron(0 6 ? * MON-FRI *)"),
        ("0 0 * * 0", "cron(0 0 ? * SUN *)"),
        ("0 0 * * 7", "cron(0 0 ? * SUN *)"),
        ("0 0 * * 5-7", "cron(0 0 ? * SUN,FRI,SAT *)"),
        ("*/5 * * * *", "cron(0/5 * * * ? *)"),
        ("7/20 8-18/2 * * *", "cron(7/20 8,10,12,14,16,18 * * ? *)"),
        ("0 0 1 JAN,JUL *", "cron(0 0 1 1,7 ? *)"),
        ("0 0 L * *", "cron(0 0 L * ? *)"),
        ("0 0 * * 1#2", "cron(0 0 ? * 2#2 *)"),
        ("0 0 * * 5L", "cron(0 0 ? * 6L *)"),
        ("0 0 ? * 0-6", "cron(0 0 * * ? *)"),
        ("0 0 * * *", "cron(0 0 * * ? *)"),
    ],
)
def test_a_cron_expression_in_the_words_of_eventbridge(cron: str, expected: str) -> None:
    found = schedule_expression(f"cron({cron}) Europe/Berlin")
    assert (found.expression, found.timezone) == (expected, "Europe/Berlin")


@pytest.mark.parametrize(
    "seconds, expected",
    [(60, "rate(1 minute)"), (900, "rate(15 minutes)"), (3600, "rate(1 hour)"), (172800, "rate(2 days)")],
)
def test_a_rate_has_the_largest_unit_that_fits(seconds: int, expected: str) -> None:
    assert schedule_expression(f"rate({seconds} s)").expression == expected


@pytest.mark.parametrize(
    "cron", ["0 0 13 * 5", "0 0 LW * *", "0 0 L,15 * *", "0 0 * * 1#1,1#3", "0 0 * * MON,5L"]
)
def test_what_eventbridge_cannot_express_is_refused(cron: str) -> None:
    with pytest.raises(UsageError, match="EventBridge"):
        schedule_expression(f"cron({cron}) UTC")


def parts(first: int, last: int) -> st.SearchStrategy[str]:
    """A field of cron as people write it."""
    number = st.integers(first, last)
    step = st.integers(1, last)
    ranges = st.tuples(number, number).map(sorted)
    one = st.one_of(
        st.just("*"),
        number.map(str),
        ranges.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        step.map(lambda width: f"*/{width}"),
        st.tuples(number, step).map(lambda pair: f"{pair[0]}/{pair[1]}"),
        st.tuples(ranges, step).map(lambda pair: f"{pair[0][0]}-{pair[0][1]}/{pair[1]}"),
    )
    return st.lists(one, min_size=1, max_size=3).map(",".join)


weekdays = st.one_of(
    parts(0, 7),
    st.sampled_from(["SUN", "MON-FRI", "SAT,SUN", "0#1", "3#2", "7#5", "5L", "0L"]),
)
days = st.one_of(
    st.tuples(parts(1, 31), st.just("*")),
    st.tuples(st.just("*"), weekdays),
    st.tuples(st.just("L"), st.just("*")),
)


@given(parts(0, 59), parts(0, 23), days, st.one_of(st.just("*"), parts(1, 12)), st.integers(0, 364))
def test_it_fires_at_the_same_moments_as_cron(
    minute: str, hour: str, day: tuple[str, str], month: str, start: int
) -> None:
    cron = f"{minute} {hour} {day[0]} {month} {day[1]}"
    begin = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=start)
    try:
        times = CronSim(cron, begin - timedelta(minutes=1))
        first = next(times)
    except (CronSimError, StopIteration):
        assume(False)
    try:
        expression = schedule_expression(f"cron({cron}) UTC").expression
    except UsageError:
        # A list of odd values may be too long, and nothing else is refused here.
        assert cron.count(",") > 2
        return
    assert len(expression) <= MAX_EXPRESSION
    fired = {first, *(next(times) for _ in range(5))}
    end = max(fired)
    for moment in fired:
        assert comes_true(expression, moment), expression
    # Between the first and the sixth time it fires at no other minute, as far as a day is looked through.
    moment = first
    while moment < min(end, first + timedelta(days=1)):
        assert comes_true(expression, moment) == (moment in fired), (expression, moment)
        moment += timedelta(minutes=1)
