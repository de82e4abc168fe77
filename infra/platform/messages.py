"""`Messages`: the topics that people read, the queue of what could not be delivered, and the event bus."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws, Duration, aws_events, aws_iam, aws_kms, aws_sns, aws_sns_subscriptions, aws_sqs
from constructs import Construct

from infra.platform.parts import TOPICS, Parts
from infra.removal import removal_policy
from infra.settings import Settings


class Messages(Construct):
    """Topics ``warn``, ``page`` and ``ask`` with their e-mail subscriptions, dead letters, and the bus."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, parts: Parts) -> None:
        super().__init__(scope, id)
        self.key = _topics_key(self, settings) if settings.encryption.topics else None
        emails: dict[str, Sequence[str]] = {
            "warn": settings.alarms.warn_emails,
            "page": settings.alarms.page_emails,
            "ask": settings.alarms.ask_emails,
        }
        self.topics = {kind: self._topic(kind, parts, emails[kind]) for kind in TOPICS}
        self.dead_letters = self._dead_letters(parts)
        self.bus = aws_events.EventBus(self, "Bus", event_bus_name=parts.bus)

    def _topic(self, kind: str, parts: Parts, emails: Sequence[str]) -> aws_sns.Topic:
        topic = aws_sns.Topic(
            self,
            kind.capitalize(),
            topic_name=parts.topic_arns[kind].rsplit(":", 1)[1],
            display_name=f"stepweave {parts.env}: {kind}",
            master_key=self.key,
            enforce_ssl=True,
        )
        for service in ("cloudwatch", "events"):
            topic.add_to_resource_policy(
                aws_iam.PolicyStatement(
                    sid=f"{service.capitalize()}OfThisAccount",
                    actions=["sns:Publish"],
                    principals=[aws_iam.ServicePrincipal(f"{service}.amazonaws.com")],
                    resources=[topic.topic_arn],
                    conditions={"StringEquals": {"aws:SourceAccount": parts.account}},
                )
            )
        for email in emails:
            topic.add_subscription(aws_sns_subscriptions.EmailSubscription(email))
        return topic

    def _dead_letters(self, parts: Parts) -> aws_sqs.Queue:
        queue = aws_sqs.Queue(
            self,
            "DeadLetters",
            queue_name=parts.dead_letter_queue,
            encryption=aws_sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),  # as long as there is: somebody has to look first
        )
        for service in ("events", "sns"):
            queue.add_to_resource_policy(
                aws_iam.PolicyStatement(
                    sid=f"{service.capitalize()}OfThisAccount",
                    actions=["sqs:SendMessage"],
                    principals=[aws_iam.ServicePrincipal(f"{service}.amazonaws.com")],
                    resources=[queue.queue_arn],
                    conditions={"StringEquals": {"aws:SourceAccount": parts.account}},
                )
            )
        return queue


def _topics_key(scope: Construct, settings: Settings) -> aws_kms.Key:
    """A key that alarms and rules of this account may use to publish."""
    key = aws_kms.Key(
        scope,
        "TopicsKey",
        description=f"stepweave {settings.env}: topics",
        enable_key_rotation=True,
        removal_policy=removal_policy(settings),
    )
    key.add_to_resource_policy(
        aws_iam.PolicyStatement(
            sid="PublishersOfThisAccount",
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            principals=[
                aws_iam.ServicePrincipal("cloudwatch.amazonaws.com"),
                aws_iam.ServicePrincipal("events.amazonaws.com"),
            ],
            resources=["*"],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    return key
