"""`PlatformStack`: what all DAGs of an environment share, and everything that keeps data."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Environment, Stack, aws_cloudwatch, aws_ssm
from constructs import Construct

from infra.arns import Arns
from infra.platform.alarms import FleetAlarms
from infra.platform.batch import JobQueues
from infra.platform.events import Events
from infra.platform.fleet_dashboard import fleet_body
from infra.platform.messages import TOPICS, Messages
from infra.platform.network import Network
from infra.platform.records import RecordsTable
from infra.platform.shared_functions import SharedCode, SharedFunctions, live
from infra.platform.storage import ArtifactBucket
from infra.settings import Settings
from stepweave.deployed import names
from stepweave.deployed.environment import Platform


class PlatformStack(Stack):
    """The stack ``stepweave-<env>-platform``."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        arns: Arns,
        code: SharedCode,
        dags: Sequence[str] = (),
    ) -> None:
        """``dags``: ids to choose from on the dashboard."""
        super().__init__(
            scope,
            id,
            stack_name=names.stack_name(settings.env, "platform"),
            description=f"stepweave {settings.env}: storage, records, messages, queues and shared functions",
            env=Environment(account=settings.account, region=settings.region),
            termination_protection=settings.removal_policy == "retain",
        )
        self.storage = ArtifactBucket(self, "Artifacts", settings=settings, name=arns.bucket_name())
        self.records = RecordsTable(self, "Records", settings=settings, name=names.table_name(settings.env))
        self.messages = Messages(self, "Messages", settings=settings, arns=arns)
        network = Network(self, "Network", settings=settings) if settings.network.mode != "none" else None
        self.queues = JobQueues(self, "Batch", settings=settings, network=network)
        self.functions = SharedFunctions(
            self, "Functions", settings=settings, arns=arns, messages=self.messages, code=code
        )
        recorder = self.functions.recorder
        Events(self, "Events", arns=arns, recorder_arn=live(recorder))
        FleetAlarms(self, "Alarms", settings=settings, arns=arns)
        self._dashboard(settings, arns, dags)
        self._describe(settings, arns)

    def _dashboard(self, settings: Settings, arns: Arns, dags: Sequence[str]) -> None:
        aws_cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=names.dashboard_name(settings.env),
            dashboard_body=self.to_json_string(fleet_body(arns, settings, dags)),
        )

    def _describe(self, settings: Settings, arns: Arns) -> None:
        """Tell the command line and the functions what is where."""
        links = self.functions.links
        described = Platform(
            env=settings.env,
            store=f"s3://{arns.bucket_name()}",
            table=names.table_name(settings.env),
            bus=names.bus_name(settings.env),
            topics={kind: arns.topic(kind) for kind in TOPICS},
            approvals_function=arns.function("approvals"),
            approvals_url=links.url if links else "",
        )
        aws_ssm.StringParameter(
            self,
            "Description",
            parameter_name=names.platform_parameter(settings.env),
            description=f"stepweave {settings.env}: where the parts of the platform are",
            string_value=described.to_json(),
        )
