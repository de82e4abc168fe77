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


def test_alarms_and_rules_of_this_account_may_publish(whole_app: Synthesized) -> None:
    for statements in policies(whole_app.platform, "SNS::TopicPolicy"):
        allowed = [one for one in statements if one["Effect"] == "Allow"]
        assert {one["Principal"]["Service"] for one in allowed} == {
            "cloudwatch.amazonaws.com",
            "events.amazonaws.com",
        }
        for one in allowed:
            assert one["Action"] == "sns:Publish"
            assert one["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_rules_and_topics_of_this_account_may_leave_dead_letters(whole_app: Synthesized) -> None:
    (statements,) = policies(whole_app.platform, "SQS::QueuePolicy")
    allowed = [one for one in statements if one["Effect"] == "Allow"]
    assert {one["Principal"]["Service"] for one in allowed} == {"events.amazonaws.com", "sns.amazonaws.com"}
    assert {one["Action"] for one in allowed} == {"sqs:SendMessage"}
    assert all("aws:SourceAccount" in one["Condition"]["StringEquals"] for one in allowed)


def test_dead_letters_are_encrypted_and_kept_for_two_weeks(whole_app: Synthesized) -> None:
    queue = whole_app.platform.only("SQS::Queue")
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 86_400


def test_production_encrypts_its_topics_with_a_key_that_alarms_may_use(whole_app: Synthesized) -> None:
    key = whole_app.platform.only("KMS::Key")
    assert key["EnableKeyRotation"] is True
    services = [
        one["Principal"]["Service"]
        for one in key["KeyPolicy"]["Statement"]
        if "Service" in one.get("Principal", {})
    ]
    assert services == [["cloudwatch.amazonaws.com", "events.amazonaws.com"]]
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
    for one in subscriptions:
        assert "dead-letters" in str(one["RedrivePolicy"]["deadLetterTargetArn"])


def test_nobody_pays_for_a_notifier_that_nobody_asked_for(whole_app: Synthesized) -> None:
    names = {one["FunctionName"] for one in whole_app.platform.of_type("Lambda::Function").values()}
    assert names == {"stepweave-prod-rendezvous", "stepweave-prod-approvals", "stepweave-prod-recorder"}


def test_there_is_an_event_bus(whole_app: Synthesized) -> None:
    assert whole_app.platform.only("Events::EventBus")["Name"] == "stepweave-prod"
