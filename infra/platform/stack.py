"""`PlatformStack`: what all DAGs of an environment share, and everything that keeps data."""

from __future__ import annotations

from aws_cdk import Stack, aws_ssm
from constructs import Construct

from infra.dags.arns import Arns
from infra.platform.batch import JobQueues
from infra.platform.messages import TOPICS, Messages
from infra.platform.network import Network
from infra.platform.records import RecordsTable
from infra.platform.storage import ArtifactBucket
from infra.settings import Settings
from stepweave.deployed import names
from stepweave.deployed.environment import Platform


class PlatformStack(Stack):
    """The stack ``stepweave-<env>-platform``."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, arns: Arns) -> None:
        super().__init__(
            scope,
            id,
            stack_name=names.stack_name(settings.env, "platform"),
            description=f"stepweave {settings.env}: storage, records, messages, queues and shared functions",
            termination_protection=settings.removal_policy == "retain",
        )
        self.storage = ArtifactBucket(self, "Artifacts", settings=settings, name=arns.bucket_name())
        self.records = RecordsTable(self, "Records", settings=settings, name=names.table_name(settings.env))
        self.messages = Messages(self, "Messages", settings=settings, arns=arns)
        network = Network(self, "Network", settings=settings) if settings.network.mode != "none" else None
        self.queues = JobQueues(self, "Batch", settings=settings, network=network)
        self._describe(settings, arns)

    def _describe(self, settings: Settings, arns: Arns) -> None:
        """Tell the command line and the functions what is where."""
        described = Platform(
            env=settings.env,
            store=f"s3://{arns.bucket_name()}",
            table=names.table_name(settings.env),
            bus=names.bus_name(settings.env),
            topics={kind: arns.topic(kind) for kind in TOPICS},
            approvals_function=arns.function("approvals"),
        )
        aws_ssm.StringParameter(
            self,
            "Description",
            parameter_name=names.platform_parameter(settings.env),
            description=f"stepweave {settings.env}: where the parts of the platform are",
            string_value=described.to_json(),
        )
