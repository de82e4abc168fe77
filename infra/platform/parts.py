"""`Parts`: what DAG stacks use of the platform, by name.

Every name follows from the environment (``stepweave.deployed.names``), so that a DAG's stack refers to the platform
without an import of its values, and both can be deployed apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Aws

from infra.settings import Settings
from stepweave.deployed import names

TOPICS = ("warn", "page", "ask")
"""Kinds of topics: what can wait, what cannot, and what a person is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Names and ARNs; account and region are those of the stack where the settings leave them open."""

    env: str
    partition: str
    account: str
    region: str
    bucket: str
    """Name of the artifact bucket."""
    bucket_arn: str
    table: str
    """Name of the records table."""
    table_arn: str
    bus: str
    """Name of the event bus."""
    bus_arn: str
    dead_letter_queue: str
    """Name of the queue of what could not be delivered."""
    dead_letter_queue_arn: str
    topic_arns: Mapping[str, str]
    """By kind, one of :data:`TOPICS`."""
    queue_arns: Mapping[str, str]
    """Job queues by kind, one of ``names.QUEUES``."""
    rendezvous_arn: str
    """Of the alias of the function behind gates."""
    approvals_arn: str
    """Of the alias of the function behind approvals."""

    @property
    def store(self) -> str:
        """``s3://bucket``."""
        return f"s3://{self.bucket}"


def parts_of(settings: Settings) -> Parts:
    """The parts of the environment's platform."""
    env, partition = settings.env, Aws.PARTITION
    account, region = settings.account or Aws.ACCOUNT_ID, settings.region or Aws.REGION

    def arn(service: str, resource: str) -> str:
        return f"arn:{partition}:{service}:{region}:{account}:{resource}"

    def function(part: str) -> str:
        return arn("lambda", f"function:{names.function_name(env, part)}:{names.LIVE}")

    bucket = names.bucket_name(env, account, region)
    return Parts(
        env=env,
        partition=partition,
        account=account,
        region=region,
        bucket=bucket,
        bucket_arn=f"arn:{partition}:s3:::{bucket}",
        table=names.table_name(env),
        table_arn=arn("dynamodb", f"table/{names.table_name(env)}"),
        bus=names.bus_name(env),
        bus_arn=arn("events", f"event-bus/{names.bus_name(env)}"),
        dead_letter_queue=names.dead_letter_queue_name(env),
        dead_letter_queue_arn=arn("sqs", names.dead_letter_queue_name(env)),
        topic_arns={kind: arn("sns", names.topic_name(env, kind)) for kind in TOPICS},
        queue_arns={kind: arn("batch", f"job-queue/{names.queue_name(env, kind)}") for kind in names.QUEUES},
        rendezvous_arn=function("rendezvous"),
        approvals_arn=function("approvals"),
    )
