"""What starts a DAG."""

from __future__ import annotations

import json
from pathlib import Path

from tests.infra.dags.flows import compiled
from tests.infra.dags.stacks import Stacks, arn, synthesized

ACCOUNT = "eu-west-1:123456789012"


def test_a_schedule_calls_the_starter_with_the_time_that_it_stands_for(watched: Stacks) -> None:
    schedule = watched["churn"].only("Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(0 6 ? * MON-FRI *)"
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["State"] == "ENABLED"
    target = schedule["Target"]
    assert arn(target["Arn"]) == f"arn:aws:lambda:{ACCOUNT}:function:stepweave-prod-churn--starter:live"
    assert json.loads(target["Input"]) == {
        "source": "schedule",
        "scheduled_time": "<aws.scheduler.scheduled-time>",
        "schedule": "cron(0 6 * * 1-5) Europe/Berlin",
    }
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600}
    assert arn(target["DeadLetterConfig"]["Arn"]) == f"arn:aws:sqs:{ACCOUNT}:stepweave-prod-dead-letters"


def test_an_environment_without_schedules_has_them_disabled_and_misses_none(tmp_path: Path) -> None:
    settings = {"schedules": False, "alarms": {"per_dag": True}, "account": "1" * 12, "region": "eu-west-1"}
    stack = synthesized(tmp_path, "dev", settings, [compiled("churn")])["churn"]
    assert stack.only("Scheduler::Schedule")["State"] == "DISABLED"
    assert json.loads(arn(stack.only("SSM::Parameter")["Value"]))["schedule"] == ""
    kinds = {one["AlarmName"].rpartition("churn-")[2] for one in stack.of_type("CloudWatch::Alarm").values()}
    assert kinds == {"runs-failed", "runs-timed-out", "throttled"}


def test_a_rule_hands_the_whole_event_to_the_starter(watched: Stacks) -> None:
    rule = watched["churn"].only("Events::Rule")
    assert rule["Name"] == "stepweave-prod-churn--trigger-0"
    assert rule["EventPattern"]["detail"] == {
        "bucket": {"name": ["stepweave-prod-123456789012-eu-west-1"]},
        "object": {"key": [{"wildcard": "raw/customers/*.csv"}]},
    }
    (target,) = rule["Targets"]
    template = target["InputTransformer"]["InputTemplate"].replace("<aws.events.event.json>", '{"id": 1}')
    assert json.loads(template) == {"source": "s3", "trigger": 0, "event": {"id": 1}}
    assert arn(target["DeadLetterConfig"]["Arn"]).endswith(":stepweave-prod-dead-letters")
    permission = watched["churn"].only("Lambda::Permission")
    assert permission["Principal"] == "events.amazonaws.com"
    assert arn(permission["SourceArn"]) == f"arn:aws:events:{ACCOUNT}:rule/stepweave-prod-churn--trigger-0"


def test_a_dag_that_only_people_start_has_no_schedule_and_no_rule(watched: Stacks) -> None:
    for kind in ("Scheduler::Schedule", "Events::Rule", "Lambda::Permission"):
        assert watched["sign_off"].of_type(kind) == {}
