from __future__ import annotations

from typing import Any

from tests.infra.conftest import Synthesized
from tests.infra.templates import Template


def policies(template: Template, kind: str) -> list[list[dict[str, Any]]]:
    return [one["PolicyDocument"]["Statement"] for one in template.of_type(kind).values()]


def test_topics_and_queue_refuse_what_is_not_sent_by_tls(whole_app: Synthesized) -> None:
    found = [
        *policies(whole_app.platform, "SNS::TopicPolicy"),
        *policies(whole_app.platform, "SQS::QueuePolicy"),
    ]
    assert len(found) == 4
    for statements in found:
        assert any(
            one["Effect"] == "Deny" and one["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for one in statements
        )


def publishers(template: Template, kind: str) -> dict[str, Any]:
    """Condition by service that may publish to the topic ``kind``."""
    (topic,) = (
        name for name, one in template.of_type("SNS::Topic").items() if one["TopicName"].endswith(f"-{kind}")
    )
    (policy,) = (
        one for one in template.of_type("SNS::TopicPolicy").values() if one["Topics"] == [{"Ref": topic}]
    )
    allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert {one["Action"] for one in allowed} <= {"sns:Publish"}
    return {one["Principal"]["Service"]: one.get("Condition") for one in allowed}


def test_alarms_of_this_account_alone_may_publish_where_alarms_do(whole_app: Synthesized) -> None:
    ours = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    for kind in ("warn", "page"):
        assert publishers(whole_app.platform, kind)["cloudwatch.amazonaws.com"] == ours
    assert publishers(whole_app.platform, "ask") == {}


def test_rules_publish_to_the_topic_that_one_of_them_names_and_under_no_condition(
    whole_app: Synthesized,
) -> None:
    """EventBridge tells SNS nothing of itself that a condition could ask for."""
    kinds = [
        kind
        for kind in ("warn", "page", "ask")
        if "events.amazonaws.com" in publishers(whole_app.platform, kind)
    ]
    assert kinds == ["warn"]
    assert publishers(whole_app.platform, "warn")["events.amazonaws.com"] is None
    targets = [
        str(target["Arn"])
        for rule in whole_app.platform.of_type("Events::Rule").values()
        for target in rule["Targets"]
    ]
    assert [target for target in targets if ":sns:" in target and "-warn" not in target] == []


def test_rules_and_topics_of_this_environment_may_leave_dead_letters(whole_app: Synthesized) -> None:
    (statements,) = policies(whole_app.platform, "SQS::QueuePolicy")
    allowed = [one for one in statements if one["Effect"] == "Allow"]
    assert {one["Action"] for one in allowed} == {"sqs:SendMessage"}
    found = {one["Principal"]["Service"]: one["Condition"]["ArnLike"]["aws:SourceArn"] for one in allowed}
    assert set(found) == {"events.amazonaws.com", "sns.amazonaws.com"}
    assert found["events.amazonaws.com"][0]["Fn::Join"][1][-1] == ":rule/stepweave-prod-*"
    ends = [one["Fn::Join"][1][-1] for one in found["sns.amazonaws.com"]]
    assert ends == [":stepweave-prod-warn", ":stepweave-prod-page"]


def test_dead_letters_are_encrypted_and_kept_for_two_weeks(whole_app: Synthesized) -> None:
    queue = whole_app.platform.only("SQS::Queue")
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 86_400


def test_production_encrypts_its_topics_with_a_key_that_alarms_and_rules_may_use(
    whole_app: Synthesized,
) -> None:
    key = whole_app.platform.only("KMS::Key")
    assert key["EnableKeyRotation"] is True
    (publishers,) = (one for one in key["KeyPolicy"]["Statement"] if "Service" in one.get("Principal", {}))
    assert publishers["Principal"]["Service"] == ["cloudwatch.amazonaws.com", "events.amazonaws.com"]
    assert "Condition" not in publishers  # EventBridge publishes under none
    for topic in whole_app.platform.of_type("SNS::Topic").values():
        assert "KmsMasterKeyId" in topic


def test_without_a_key_nothing_is_paid_for_one(dev_platform: Synthesized) -> None:
    assert dev_platform.platform.of_type("KMS::Key") == {}
    for topic in dev_platform.platform.of_type("SNS::Topic").values():
        assert "KmsMasterKeyId" not in topic


def test_people_are_subscribed_by_mail(told_platform: Synthesized) -> None:
    mails = {
        (one["Endpoint"], one["TopicArn"]["Ref"])
        for one in told_platform.platform.of_type("SNS::Subscription").values()
        if one["Protocol"] == "email"
    }
    topics = {name: one["TopicName"] for name, one in told_platform.platform.of_type("SNS::Topic").items()}
    assert {(mail, topics[topic]) for mail, topic in mails} == {
        ("a@example.org", "stepweave-told-warn"),
        ("b@example.org", "stepweave-told-page"),
        ("c@example.org", "stepweave-told-page"),
    }


def test_the_notifier_gets_warnings_and_pages_and_leaves_dead_letters(told_platform: Synthesized) -> None:
    subscriptions = [
        one
        for one in told_platform.platform.of_type("SNS::Subscription").values()
        if one["Protocol"] == "lambda"
    ]
    assert len(subscriptions) == 2
    (queue,) = told_platform.platform.of_type("SQS::Queue")
    for one in subscriptions:
        assert one["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [queue, "Arn"]}


def test_nobody_pays_for_a_notifier_that_nobody_asked_for(whole_app: Synthesized) -> None:
    names = {one["FunctionName"] for one in whole_app.platform.of_type("Lambda::Function").values()}
    assert names == {"stepweave-prod-rendezvous", "stepweave-prod-approvals", "stepweave-prod-recorder"}


def test_there_is_an_event_bus(whole_app: Synthesized) -> None:
    assert whole_app.platform.only("Events::EventBus")["Name"] == "stepweave-prod"
