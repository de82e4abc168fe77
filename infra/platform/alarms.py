"""`FleetAlarms`: what is watched for all DAGs together, at $0.10 a month each.

The recorder tells of every failed run by itself, with its tasks and links; these alarms are for what is more than one
run: many failures at once, and parts of the platform that are silent or fail. Each description leads to the runbook.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from aws_cdk import aws_cloudwatch
from constructs import Construct

from infra.arns import Arns
from infra.settings import Settings
from stepweave.deployed import names

Comparison: TypeAlias = Literal["GreaterThanOrEqualToThreshold", "LessThanThreshold"]

RUNBOOK = "docs/operating.md"
NAMESPACE = "Stepweave"
MANY_RUNS = 5
"""Runs that fail within a quarter of an hour, from which on it is no matter of one DAG."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One alarm, over the sum of a metric."""

    name: str
    """Part of its name, and its heading in the runbook."""
    says: str
    """What is the matter when it goes off."""
    topic: Literal["warn", "page"]
    namespace: str
    metric: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    threshold: int = 1
    seconds: int = 300
    statistic: str = "Sum"
    comparison: Comparison = "GreaterThanOrEqualToThreshold"
    missing: Literal["notBreaching", "breaching"] = "notBreaching"


def watched(arns: Arns) -> Iterator[Watched]:
    """Every alarm of the fleet."""
    yield from _of_runs({"env": arns.env})
    yield from _of_services(arns)
    yield from _of_functions(arns)


def _of_runs(ours: Mapping[str, str]) -> Iterator[Watched]:
    yield Watched(
        name="runs-failing",
        says=f"{MANY_RUNS} runs failed within 15 minutes",
        topic="page",
        namespace=NAMESPACE,
        metric="RunsFailed",
        dimensions=ours,
        threshold=MANY_RUNS,
        seconds=900,
    )
    yield Watched(
        name="runs-timed-out",
        says="a run took longer than its DAG allows",
        topic="warn",
        namespace=NAMESPACE,
        metric="RunsTimedOut",
        dimensions=ours,
    )
    yield Watched(
        name="schedule-missed",
        says="a schedule was due, and no run of it began",
        topic="page",
        namespace=NAMESPACE,
        metric="MissedSchedules",
        dimensions=ours,
        seconds=3600,
    )


def _of_services(arns: Arns) -> Iterator[Watched]:
    yield Watched(
        name="throttled",
        says="Step Functions slows all machines of the account down",
        topic="warn",
        namespace="AWS/States",
        metric="ThrottledEvents",
        dimensions={"ServiceMetric": "StateTransition"},
    )
    yield Watched(
        name="dead-letters",
        says="an event could not be delivered: a run that should have begun, or a message to people",
        topic="page",
        namespace="AWS/SQS",
        metric="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": names.dead_letter_queue_name(arns.env)},
        statistic="Maximum",
    )


def _of_functions(arns: Arns) -> Iterator[Watched]:
    yield _function(arns, "recorder", "Errors", "recorder-failing", "records of runs are not kept")
    yield _function(arns, "rendezvous", "Errors", "rendezvous-failing", "gates do not open")
    yield _function(arns, "approvals", "Errors", "approvals-failing", "people are not asked, or not heard")
    yield Watched(
        name="recorder-silent",
        says="the recorder has not looked for what was missed for two hours",
        topic="page",
        namespace="AWS/Lambda",
        metric="Invocations",
        dimensions={"FunctionName": names.function_name(arns.env, "recorder")},
        seconds=7200,
        comparison="LessThanThreshold",
        missing="breaching",
    )


class FleetAlarms(Construct):
    """The alarms, on their topics."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, arns: Arns) -> None:
        super().__init__(scope, id)
        # PagerDuty closes what it opened; people need no message that nothing is the matter.
        closed = "page" if settings.alarms.pagerduty else ""
        for one in watched(arns):
            aws_cloudwatch.CfnAlarm(
                self,
                "".join(part.capitalize() for part in one.name.split("-")),
                alarm_name=f"{names.PRODUCT}-{arns.env}-{one.name}",
                alarm_description=f"{one.says} ({RUNBOOK}#{one.name})",
                namespace=one.namespace,
                metric_name=one.metric,
                dimensions=[
                    aws_cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
                    for name, value in one.dimensions.items()
                ],
                statistic=one.statistic,
                period=one.seconds,
                evaluation_periods=1,
                threshold=one.threshold,
                comparison_operator=one.comparison,
                treat_missing_data=one.missing,
                alarm_actions=[arns.topic(one.topic)],
                ok_actions=[arns.topic(one.topic)] if one.topic == closed else None,
            )


def _function(arns: Arns, part: str, metric: str, name: str, says: str) -> Watched:
    return Watched(
        name=name,
        says=says,
        topic="page",
        namespace="AWS/Lambda",
        metric=metric,
        dimensions={"FunctionName": names.function_name(arns.env, part)},
    )
