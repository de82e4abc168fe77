"""Alarms look at what they say, for as long as the schedule may be silent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim

from infra.dags.alarms import LONGEST_LOOK_SECONDS, watched
from infra.dags.gaps import longest_gap_seconds
from stepweave.graph.model import DagInfo
from tests.infra.dags.flows import ROOT
from tests.infra.dags.stacks import Stacks

HOUR = 3_600
DAY = 24 * HOUR


@pytest.mark.parametrize(
    "schedule, gap",
    [
        ("rate(900 s)", 900),
        ("cron(*/10 * * * *) UTC", 600),
        ("cron(0 6 * * *) UTC", DAY),
        ("cron(0 6 * * 1-5) UTC", 3 * DAY),
        ("cron(0 6 * * 1-5) Europe/Berlin", 3 * DAY + HOUR),
        ("cron(0 0 1 * *) UTC", 31 * DAY),
        ("cron(0 0 29 2 *) UTC", 4 * 366 * DAY - 3 * DAY),
    ],
)
def test_the_longest_silence_of_a_schedule(schedule: str, gap: int) -> None:
    assert longest_gap_seconds(schedule) == gap


def kinds(schedule: str | None) -> list[str]:
    return [one.kind for one in watched(DagInfo(id="d", schedule=schedule))]


def test_only_a_dag_with_a_schedule_can_miss_it() -> None:
    assert kinds(None) == ["runs-failed", "runs-timed-out", "throttled"]
    assert kinds("cron(0 6 * * 1-5) UTC")[-1] == "schedule-missed"


def test_a_schedule_rarer_than_an_alarm_can_look_back_has_none() -> None:
    assert kinds("cron(0 6 * * 1) UTC")[-1] == "throttled"
    assert kinds("cron(0 0 1 * *) UTC")[-1] == "throttled"


@pytest.mark.parametrize("schedule", ["0 6 * * 1-5", "0 6 * * *", "*/5 * * * *", "0 */8 * * *"])
def test_a_schedule_that_is_kept_never_raises_the_alarm(schedule: str) -> None:
    alarm = watched(DagInfo(id="d", schedule=f"cron({schedule}) UTC"))[-1]
    window = timedelta(seconds=alarm.period_seconds * alarm.periods)
    assert window.total_seconds() <= LONGEST_LOOK_SECONDS
    times = CronSim(schedule, datetime(2027, 1, 1, tzinfo=UTC))
    before = next(times)
    for _ in range(300):
        time = next(times)
        # A period that is under way does not count, so the last start may lie one further back.
        assert time - before <= window - timedelta(seconds=0)
        before = time


def test_alarms_go_to_their_topic_and_name_the_chapter_of_the_runbook(watched: Stacks) -> None:
    alarms = {one["AlarmName"]: one for one in watched["churn"].of_type("CloudWatch::Alarm").values()}
    failed = alarms["stepweave-prod-churn-runs-failed"]
    missed = alarms["stepweave-prod-churn-schedule-missed"]
    assert failed["AlarmDescription"].endswith("docs/operating.md#runs-failed")
    assert json.dumps(failed["AlarmActions"]).count("stepweave-prod-warn") == 1
    assert json.dumps(missed["AlarmActions"]).count("stepweave-prod-page") == 1
    assert (failed["Namespace"], failed["MetricName"]) == ("AWS/States", "ExecutionsFailed")
    assert (failed["ComparisonOperator"], failed["TreatMissingData"]) == (
        "GreaterThanOrEqualToThreshold",
        "notBreaching",
    )
    assert (missed["MetricName"], missed["TreatMissingData"]) == ("ExecutionsStarted", "breaching")
    assert missed["ComparisonOperator"] == "LessThanThreshold"


def test_what_a_shift_is_rolled_back_by_tells_nobody(watched: Stacks) -> None:
    alarms = {one["AlarmName"]: one for one in watched["sign_off"].of_type("CloudWatch::Alarm").values()}
    rollback = alarms["stepweave-prod-sign_off-rollback"]
    assert "AlarmActions" not in rollback
    assert rollback["Period"] == 60


@pytest.mark.parametrize(
    "kind", ["runs-failed", "runs-timed-out", "throttled", "schedule-missed", "rollback"]
)
def test_the_runbook_has_the_chapter_that_an_alarm_names(kind: str) -> None:
    assert f"\n### {kind}\n" in (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
