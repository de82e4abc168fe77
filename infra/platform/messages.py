"""`Messages`: the topics that people read, the queue of what could not be delivered, and the event bus."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, aws_events, aws_iam, aws_kms, aws_sns, aws_sns_subscriptions, aws_sqs
from constructs import Construct

from infra.arns import Arns
from infra.removal import removal_policy
from infra.settings import Settings
from stepweave.deployed import names

TOPICS = ("warn", "page", "ask")
"""Kinds of topics: what can wait until the morning, what cannot, and what a person is asked."""


class Messages(Construct):
    """Topics ``warn``, ``page`` and ``ask`` with their e-mail subscriptions, dead letters, and the bus."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, arns: Arns) -> None:
        super().__init__(scope, id)
        self.key = _topics_key(self, settings, arns) if settings.encryption.topics else None
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
        for service in ("cloudwatch", "events"):
            topic.add_to_resource_policy(_of_this_account(service, "sns:Publish", topic.topic_arn, arns))
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
        for service in ("events", "sns"):
            queue.add_to_resource_policy(_of_this_account(service, "sqs:SendMessage", queue.queue_arn, arns))
        return queue


def _of_this_account(service: str, action: str, resource: str, arns: Arns) -> aws_iam.PolicyStatement:
    """A service may do something, for this account only."""
    return aws_iam.PolicyStatement(
        sid=f"{service.capitalize()}OfThisAccount",
        actions=[action],
        principals=[aws_iam.ServicePrincipal(f"{service}.amazonaws.com")],
        resources=[resource],
        conditions={"StringEquals": {"aws:SourceAccount": arns.account}},
    )


def _topics_key(scope: Construct, settings: Settings, arns: Arns) -> aws_kms.Key:
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
            conditions={"StringEquals": {"aws:SourceAccount": arns.account}},
        )
    )
    return key
