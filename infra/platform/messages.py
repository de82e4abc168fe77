"""`Messages`: the topics that people read, the queue of what could not be delivered, and the event bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration, aws_events, aws_iam, aws_kms, aws_sns, aws_sns_subscriptions, aws_sqs
from constructs import Construct

from infra.arns import Arns
from infra.removal import removal_policy
from infra.settings import Settings
from stepweave.deployed import names

TOPICS = ("warn", "page", "ask")
"""Kinds of topics: what can wait until the morning, what cannot, and what a person is asked."""
ALARMED = ("warn", "page")
"""Topics of alarms, and those with subscriptions that leave dead letters."""
OF_RULES = ("warn",)
"""Topics that rules publish to."""


class Messages(Construct):
    """Topics ``warn``, ``page`` and ``ask`` with their e-mail subscriptions, dead letters, and the bus."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, arns: Arns) -> None:
        super().__init__(scope, id)
        self.key = _topics_key(self, settings) if settings.encryption.topics else None
        emails: dict[str, Sequence[str]] = {
            "warn": settings.alarms.warn_emails,
            "page": settings.alarms.page_emails,
            "ask": settings.alarms.ask_emails,
        }
        self.topics = {kind: self._topic(kind, arns, of) for kind, of in emails.items()}
        self.dead_letters = self._dead_letters(arns)
        self.bus = aws_events.EventBus(self, "Bus", event_bus_name=names.bus_name(settings.env))

    def _topic(self, kind: str, arns: Arns, emails: Sequence[str]) -> aws_sns.Topic:
        topic = aws_sns.Topic(
            self,
            kind.capitalize(),
            topic_name=names.topic_name(arns.env, kind),
            display_name=f"stepweave {arns.env}: {kind}",
            master_key=self.key,
            enforce_ssl=True,
        )
        if kind in ALARMED:
            topic.add_to_resource_policy(
                _may("cloudwatch", "sns:Publish", topic.topic_arn, {"StringEquals": {_ACCOUNT: arns.account}})
            )
        if kind in OF_RULES:
            # EventBridge says nothing of itself when it publishes: under any condition nothing would arrive
            # (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions).
            topic.add_to_resource_policy(_may("events", "sns:Publish", topic.topic_arn))
        for email in emails:
            topic.add_subscription(aws_sns_subscriptions.EmailSubscription(email))
        return topic

    def _dead_letters(self, arns: Arns) -> aws_sqs.Queue:
        queue = aws_sqs.Queue(
            self,
            "DeadLetters",
            queue_name=names.dead_letter_queue_name(arns.env),
            encryption=aws_sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),  # as long as there is: somebody has to look first
        )
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
        # https://docs.aws.amazon.com/sns/latest/dg/sns-configure-dead-letter-queue.html
        sources = {"events": [arns.rules()], "sns": [arns.topic(kind) for kind in ALARMED]}
        for service, of in sources.items():
            only = {"ArnLike": {"aws:SourceArn": of}}
            queue.add_to_resource_policy(_may(service, "sqs:SendMessage", queue.queue_arn, only))
        return queue


_ACCOUNT = "aws:SourceAccount"


def _may(
    service: str, action: str, resource: str, only: dict[str, Any] | None = None
) -> aws_iam.PolicyStatement:
    """A service may do something, on the condition ``only``."""
    return aws_iam.PolicyStatement(
        sid=service.capitalize(),
        actions=[action],
        principals=[aws_iam.ServicePrincipal(f"{service}.amazonaws.com")],
        resources=[resource],
        conditions=only,
    )


def _topics_key(scope: Construct, settings: Settings) -> aws_kms.Key:
    """A key that alarms and rules may use to publish.

    Without a condition, under which nothing of EventBridge would arrive
    (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html): whose alarms publish, the topics say.
    """
    key = aws_kms.Key(
        scope,
        "TopicsKey",
        description=f"stepweave {settings.env}: topics",
        enable_key_rotation=True,
        removal_policy=removal_policy(settings),
    )
    key.add_to_resource_policy(
        aws_iam.PolicyStatement(
            sid="Publishers",
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            principals=[
                aws_iam.ServicePrincipal("cloudwatch.amazonaws.com"),
                aws_iam.ServicePrincipal("events.amazonaws.com"),
            ],
            resources=["*"],
        )
    )
    return key
