from __future__ import annotations

import json
from fnmatch import fnmatch
from typing import Any

from infra.arns import Arns
from infra.platform.alarms import watched
from infra.platform.fleet_dashboard import CHOSEN, fleet_body
from infra.settings import parse
from tests.infra.conftest import Synthesized

ARNS = Arns(env="dev", region="eu-west-1", account="123456789012")
SETTINGS = parse("dev", {}, "dev.toml")


def rule(app: Synthesized, name: str) -> dict[str, Any]:
    return app.platform.named("Events::Rule", "Name", f"stepweave-{app.settings.env}-{name}")  # type: ignore[no-any-return]


def test_the_recorder_hears_of_executions_of_its_environment_alone(told_platform: Synthesized) -> None:
    pattern = rule(told_platform, "executions")["EventPattern"]
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    ((prefix,),) = (one.values() for one in pattern["detail"]["stateMachineArn"])
    assert str(prefix["Fn::Join"][1][-1]).endswith(":stateMachine:stepweave-told-")


def test_the_recorder_is_not_called_for_each_item_of_a_distributed_map(told_platform: Synthesized) -> None:
    (among,) = rule(told_platform, "executions")["EventPattern"]["detail"]["executionArn"]
    no_match = among["anything-but"]["wildcard"]
    run, item = (
        f"{ARNS.machine('sales').replace('stateMachine', 'execution')}{end}" for end in (":r1", "/m:1")
    )
    assert not fnmatch(run, no_match)
    assert fnmatch(item, no_match)


def test_the_recorder_looks_every_hour_for_what_was_missed(whole_app: Synthesized) -> None:
    found = rule(whole_app, "reconcile")
    assert found["ScheduleExpression"] == "rate(1 hour)"
    (target,) = found["Targets"]
    assert json.loads(target["Input"]) == {"reconcile": True}


def test_what_a_rule_cannot_deliver_is_kept(whole_app: Synthesized) -> None:
    rules = whole_app.platform.of_type("Events::Rule").values()
    assert len(rules) == 3
    for one in rules:
        for target in one["Targets"]:
            assert "dead-letters" in str(target["DeadLetterConfig"]["Arn"])


def test_rules_call_the_recorder_by_its_alias_and_may(whole_app: Synthesized) -> None:
    aliases = whole_app.platform.of_type("Lambda::Alias")
    for name in ("executions", "reconcile"):
        (target,) = rule(whole_app, name)["Targets"]
        assert target["Arn"]["Ref"] in aliases
        permissions = [
            one
            for one in whole_app.platform.of_type("Lambda::Permission").values()
            if one["Principal"] == "events.amazonaws.com" and one["FunctionName"] == target["Arn"]
        ]
        assert len(permissions) == 2


def test_people_are_told_of_a_queue_that_is_blocked_in_words(told_platform: Synthesized) -> None:
    found = rule(told_platform, "queue-blocked")
    ((prefix,),) = (one.values() for one in found["EventPattern"]["detail"]["jobQueue"])
    assert "job-queue/stepweave-told-" in str(prefix)
    (target,) = found["Targets"]
    template = target["InputTransformer"]["InputTemplate"]
    for name in target["InputTransformer"]["InputPathsMap"]:
        assert f'"<{name}>"' not in template  # EventBridge brings the quotes
        template = template.replace(f"<{name}>", f'"the {name}"')
    assert json.loads(template) == {
        "stepweave": "queue-blocked",
        "env": "told",
        "runbook": "docs/operating.md#queue-blocked",
        "queue": "the queue",
        "job": "the job",
        "reason": "the reason",
    }


def test_every_alarm_tells_somebody_and_leads_to_the_runbook(whole_app: Synthesized) -> None:
    alarms = whole_app.platform.of_type("CloudWatch::Alarm").values()
    assert {one["AlarmName"] for one in alarms} == {f"stepweave-prod-{one.name}" for one in watched(ARNS)}
    for one in alarms:
        (action,) = one["AlarmActions"]
        assert str(action).count("stepweave-prod-") == 1
        name = one["AlarmName"].removeprefix("stepweave-prod-")
        assert one["AlarmDescription"].endswith(f"(docs/operating.md#{name})")


def test_silence_is_an_alarm_only_where_something_should_be_heard() -> None:
    assert [one.name for one in watched(ARNS) if one.missing == "breaching"] == ["recorder-silent"]


def test_alarms_look_for_a_day_at_most() -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    assert all(one.seconds % 60 == 0 and one.seconds <= 86_400 for one in watched(ARNS))


def test_a_page_that_is_over_is_closed_where_pagerduty_is_told(
    told_platform: Synthesized, whole_app: Synthesized
) -> None:
    closing = [
        one["AlarmName"]
        for one in told_platform.platform.of_type("CloudWatch::Alarm").values()
        if one.get("OKActions")
    ]
    assert set(closing) == {f"stepweave-told-{one.name}" for one in watched(ARNS) if one.topic == "page"}
    assert not any(one.get("OKActions") for one in whole_app.platform.of_type("CloudWatch::Alarm").values())


BODY = fleet_body(ARNS, SETTINGS, ["churn", "digits"])


def test_the_dashboard_shows_what_was_promised() -> None:
    titles = [one["properties"].get("title", "") for one in BODY["widgets"]]
    for words in (
        "Runs that ended",
        "Share of success",
        "p50",
        "p95",
        "p99",
        "Waiting",
        "Cost a day",
        "Failures",
    ):
        assert any(words in title for title in titles), words


def test_widgets_do_not_overlap_and_fill_their_rows() -> None:
    cells = [
        (x, y)
        for one in BODY["widgets"]
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def test_every_metric_of_the_dashboard_is_of_its_environment_or_of_the_account() -> None:
    metrics = [metric for one in BODY["widgets"] for metric in one["properties"].get("metrics", ())]
    assert len(metrics) > 15
    for metric in metrics:
        text = json.dumps(metric)
        assert "dev" in text or "ServiceMetric" in text or "steps *" in text or "good" in text, text


def test_a_day_without_a_failure_has_a_share_of_success_too() -> None:
    """What is never counted has no values, and a value that is missing takes the whole expression with it."""
    (shown,) = (one for one in BODY["widgets"] if "Share of success" in one["properties"].get("title", ""))
    first, *counted = shown["properties"]["metrics"]
    expression = first[0]["expression"]
    for metric in counted:
        name = metric[-1]["id"]
        assert expression.count(name) == expression.count(f"FILL({name}, 0)") > 0


def test_one_dag_is_chosen_from_those_that_there_are() -> None:
    (choice,) = BODY["variables"]
    assert (choice["type"], choice["pattern"], choice["defaultValue"]) == ("pattern", CHOSEN, "churn")
    assert [one["value"] for one in choice["values"]] == ["churn", "digits"]
    replaced = json.dumps(BODY["widgets"]).replace(CHOSEN, "churn")
    assert "stateMachine:stepweave-dev-churn" in replaced
    assert "/stepweave/dev/churn/tasks" in replaced


def test_an_environment_has_one_dashboard_for_all_dags(whole_app: Synthesized) -> None:
    found = [
        one["DashboardName"]
        for template in whole_app.templates.values()
        for one in template.of_type("CloudWatch::Dashboard").values()
    ]
    assert found == ["stepweave-prod-fleet"]
