"""`Alarms`: what a DAG of an environment with ``[alarms] per_dag`` is watched for, and what a shift is rolled back by.

Each description names the chapter of the runbook (docs/operating.md) that says what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from aws_cdk import aws_cloudwatch
from constructs import Construct

from infra.arns import Arns
from infra.dags.gaps import longest_gap_seconds
from infra.settings import Settings
from stepweave.graph.model import DagInfo

RUNBOOK = "docs/operating.md"
HOUR = 3_600
LONGEST_LOOK_SECONDS = 7 * 24 * HOUR
"""How far back an alarm can look with periods of an hour or more
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html)."""
SLACK_SECONDS = HOUR
"""How late a run may start before it counts as missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An alarm."""

    kind: str
    """The anchor in the runbook."""
    metric: str
    says: str
    topic: str
    """``warn`` or ``page``."""
    period_seconds: int = 300
    periods: int = 1
    silence: bool = False
    """The alarm is for a metric that stays at 0, or that nobody writes."""


def watched(dag: DagInfo, *, schedules: bool = True) -> tuple[Watched, ...]:
    """What a DAG is watched for; without ``schedules`` none of them starts anything."""
    found = [
        Watched(kind="runs-failed", metric="ExecutionsFailed", says="a run failed", topic="warn"),
        Watched(kind="runs-timed-out", metric="ExecutionsTimedOut", says="a run took too long", topic="warn"),
        Watched(
            kind="throttled",
            metric="ExecutionThrottled",
            says="runs are slowed down by the quota of state transitions",
            topic="warn",
        ),
    ]
    missed = _missed(dag.schedule) if dag.schedule and schedules else None
    return (*found, missed) if missed else tuple(found)


def _missed(schedule: str) -> Watched | None:
    """The alarm for a schedule that starts nothing; None where it may be silent for longer than an alarm looks back.

    The recorder looks for those (MissedSchedules of the fleet).
    """
    gap = longest_gap_seconds(schedule)
    # Less than an hour would allow an alarm to look back a day, which is enough, but cost a sample a minute.
    periods = ceil((gap + SLACK_SECONDS) / HOUR)
    if periods * HOUR > LONGEST_LOOK_SECONDS:
        return None
    return Watched(
        kind="schedule-missed",
        metric="ExecutionsStarted",
        says=f"no run has started for {periods} h, though the schedule is {schedule}",
        topic="page",
        period_seconds=HOUR,
        periods=periods,
        silence=True,
    )


class Alarms(Construct):
    """The alarms of a DAG, by kind."""

    def __init__(
        self, scope: Construct, id: str, *, dag: DagInfo, machine_arn: str, settings: Settings, arns: Arns
    ) -> None:
        super().__init__(scope, id)
        self._dag, self._machine_arn, self._arns, self._env = dag, machine_arn, arns, settings.env
        chosen = watched(dag, schedules=settings.schedules) if settings.alarms.per_dag else ()
        self.alarms = {one.kind: self._alarm(one) for one in chosen}
        self.rollback = self._rollback() if settings.deploy.shift != "all-at-once" else None

    @property
    def rollback_names(self) -> list[str]:
        """Names of the alarms that roll a shift back."""
        return [self.rollback.ref] if self.rollback is not None else []

    def _alarm(self, one: Watched) -> aws_cloudwatch.CfnAlarm:
        return aws_cloudwatch.CfnAlarm(
            self,
            one.kind,
            alarm_name=f"stepweave-{self._env}-{self._dag.id}-{one.kind}",
            alarm_description=f"{self._dag.id}: {one.says}. What to do: {RUNBOOK}#{one.kind}",
            namespace="AWS/States",
            metric_name=one.metric,
            dimensions=[_dimension("StateMachineArn", self._machine_arn)],
            statistic="Sum",
            period=one.period_seconds,
            evaluation_periods=one.periods,
            threshold=1,
            comparison_operator="LessThanThreshold" if one.silence else "GreaterThanOrEqualToThreshold",
            treat_missing_data="breaching" if one.silence else "notBreaching",
            alarm_actions=[self._arns.topic(one.topic)],
        )

    def _rollback(self) -> aws_cloudwatch.CfnAlarm:
        """Failed runs while a new version takes over; it tells nobody, since the failure notice does."""
        return aws_cloudwatch.CfnAlarm(
            self,
            "rollback",
            alarm_name=f"stepweave-{self._env}-{self._dag.id}-rollback",
            alarm_description=f"{self._dag.id}: a run failed; a version that is being shifted to is rolled back. "
            f"What to do: {RUNBOOK}#rollback",
            namespace="AWS/States",
            metric_name="ExecutionsFailed",
            dimensions=[_dimension("StateMachineArn", self._machine_arn)],
            statistic="Sum",
            period=60,
            evaluation_periods=1,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
        )


def _dimension(name: str, value: str) -> aws_cloudwatch.CfnAlarm.DimensionProperty:
    return aws_cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
