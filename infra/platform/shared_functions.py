"""`SharedFunctions`: the functions that all DAGs of an environment share.

| function | called by | does |
|---|---|---|
| rendezvous | state machines | keeps gates, and opens them |
| approvals | state machines, the command line, links | asks people, and tells the state machine what they said |
| recorder | status events of executions, the clock | keeps records, cleans up, starts queued runs, tells of failures |
| notifier | topics | posts to Slack and PagerDuty; there only where one of them is on |
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from aws_cdk import aws_lambda, aws_secretsmanager, aws_sns
from constructs import Construct

from infra.arns import Arns
from infra.code import CodeFolder
from infra.functions import DeployedFunction, FunctionSpec, environment
from infra.logs import log_group
from infra.needs import Need
from infra.platform.link_api import LinkApi
from infra.platform.messages import TOPICS, Messages
from infra.platform.permissions import (
    approvals_needs,
    notifier_needs,
    publishing_needs,
    recorder_needs,
    rendezvous_needs,
    running_needs,
)
from infra.roles import service_role
from infra.settings import Settings
from stepweave.deployed import names

Part: TypeAlias = Literal["rendezvous", "approvals", "recorder", "notifier"]

MEMORY_MIB = 512
"""A third of a vCPU: each waits for AWS most of the time."""
RECORDER_SECONDS = 300
"""The reconciler looks at every DAG; all else takes a second."""
CALL_SECONDS = 60
EVENT_SECONDS = 6 * 3600
"""An event that could not be handled for six hours goes to the dead letters."""
EVENT_RETRIES = 2


class SharedCode(Protocol):
    """Makes the code of a function of the platform. Packaging installs what it imports; tests install nothing."""

    def shared(self, part: Part) -> CodeFolder:
        """Code of the function, in a folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A function, before what all have in common is added."""

    part: Part
    description: str
    needs: Iterable[Need]
    variables: Mapping[str, str]
    timeout_seconds: int = CALL_SECONDS
    asynchronous: bool = False
    """Called by events, which go to the dead letters when all attempts have failed."""


class SharedFunctions(Construct):
    """The functions, with their roles, log groups, aliases and secrets."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        arns: Arns,
        messages: Messages,
        code: SharedCode,
    ) -> None:
        super().__init__(scope, id)
        self._settings, self._arns, self._messages, self._code = settings, arns, messages, code
        self.rendezvous = self._function(
            _Wanted(
                part="rendezvous",
                description="Opens gates when what they wait for is there",
                needs=rendezvous_needs(arns),
                variables={},
            )
        )
        self.links = (
            LinkApi(self, "Links", settings=settings, arns=arns) if settings.approvals.links else None
        )
        self.approvals = self._approvals()
        self.recorder = self._function(
            _Wanted(
                part="recorder",
                description="Keeps the records of runs",
                needs=[*recorder_needs(arns), *self._publishing()],
                variables={
                    "STEPWEAVE_TOPICS": json.dumps({kind: arns.topic(kind) for kind in TOPICS}),
                    "STEPWEAVE_BUS": names.bus_name(settings.env),
                    "STEPWEAVE_RECORDS_DAYS": str(settings.retention.records_days),
                    "STEPWEAVE_VERSIONS_DAYS": str(settings.retention.versions_days),
                },
                timeout_seconds=RECORDER_SECONDS,
                asynchronous=True,
            )
        )
        told = settings.alarms.slack or settings.alarms.pagerduty
        self.notifier = self._notifier() if told else None

    def _approvals(self) -> DeployedFunction:
        variables = {"STEPWEAVE_ASK_TOPIC": self._arns.topic("ask")}
        secret_arn = ""
        if self.links is not None:
            secret = aws_secretsmanager.CfnSecret(
                self,
                "LinkSecret",
                name=names.secret_name(self._settings.env, "links"),
                description="Signs approval links; a new value makes those invalid that were sent before the last",
                generate_secret_string=aws_secretsmanager.CfnSecret.GenerateSecretStringProperty(
                    password_length=64, exclude_punctuation=True
                ),
            )
            secret_arn = secret.ref
            variables |= {"STEPWEAVE_LINK_SECRET": secret_arn, "STEPWEAVE_APPROVALS_URL": self.links.url}
        function = self._function(
            _Wanted(
                part="approvals",
                description="Asks people, and passes on what they decide",
                needs=[*approvals_needs(self._arns, link_secret=secret_arn), *self._publishing()],
                variables=variables,
            )
        )
        if self.links is not None:
            self.links.serve(live(function), self._arns)
        return function

    def _notifier(self) -> DeployedFunction:
        secret = aws_secretsmanager.CfnSecret(
            self,
            "NotifySecret",
            name=names.secret_name(self._settings.env, "notify"),
            description='JSON of {"slack_webhook", "pagerduty_key"}, set by a person',
            secret_string="{}",
        )
        function = self._function(
            _Wanted(
                part="notifier",
                description="Posts to Slack and PagerDuty",
                needs=notifier_needs(secret=secret.ref),
                variables={
                    "STEPWEAVE_TOPICS": json.dumps({kind: self._arns.topic(kind) for kind in TOPICS}),
                    "STEPWEAVE_NOTIFY_SECRET": secret.ref,
                },
                asynchronous=True,
            )
        )
        for kind in ("warn", "page"):
            topic = self._messages.topics[kind]
            aws_sns.CfnSubscription(
                self,
                f"{kind.capitalize()}Subscription",
                topic_arn=topic.topic_arn,
                protocol="lambda",
                endpoint=live(function),
                redrive_policy={"deadLetterTargetArn": self._messages.dead_letters.queue_arn},
            )
            aws_lambda.CfnPermission(
                self,
                f"{kind.capitalize()}Permission",
                action="lambda:InvokeFunction",
                function_name=live(function),
                principal="sns.amazonaws.com",
                source_arn=topic.topic_arn,
            )
        return function

    def _publishing(self) -> Iterable[Need]:
        key = self._messages.key
        return publishing_needs(key.key_arn) if key is not None else ()

    def _function(self, wanted: _Wanted) -> DeployedFunction:
        settings, arns, part = self._settings, self._arns, wanted.part
        name = part.capitalize()
        group = names.function_log_group(settings.env, part)
        log_group(self, f"{name}Logs", name=group, settings=settings)
        own = running_needs(arns, group, tracing=settings.tracing, dead_letters=wanted.asynchronous)
        role = service_role(
            self,
            f"{name}Role",
            service="lambda.amazonaws.com",
            needs=[*wanted.needs, *own],
            description=wanted.description,
        )
        common = environment(settings, f"s3://{arns.bucket_name()}", names.table_name(settings.env), part)
        function = DeployedFunction(
            self,
            name,
            spec=FunctionSpec(
                name=names.function_name(settings.env, part),
                description=wanted.description,
                handler=f"functions.{part}.handler.handler",
                code=self._code.shared(part),
                memory_mib=MEMORY_MIB,
                timeout_seconds=wanted.timeout_seconds,
                environment={**common, **wanted.variables},
                log_group=group,
            ),
            role_arn=role.attr_arn,
            settings=settings,
            alias=True,
        )
        if wanted.asynchronous:
            self._retried(name, function)
        return function

    def _retried(self, name: str, function: DeployedFunction) -> None:
        """Events whose handling fails are tried again, and kept in the end."""
        config = aws_lambda.CfnEventInvokeConfig
        made = config(
            self,
            f"{name}Events",
            function_name=function.function.ref,
            qualifier=names.LIVE,
            maximum_event_age_in_seconds=EVENT_SECONDS,
            maximum_retry_attempts=EVENT_RETRIES,
            destination_config=config.DestinationConfigProperty(
                on_failure=config.OnFailureProperty(destination=self._messages.dead_letters.queue_arn)
            ),
        )
        if function.alias is not None:
            made.add_resource_dependency(function.alias)


def live(function: DeployedFunction) -> str:
    """ARN of the alias of a function, as a reference to it."""
    if function.alias is None:
        raise ValueError(f"function {function.node.path} has no alias")
    return function.alias.ref
