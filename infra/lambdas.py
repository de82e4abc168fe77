"""`LambdaFunction`: a function of the platform or of a DAG, with its role, its log group, a version and the alias."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Size, Stack, aws_iam, aws_lambda, aws_s3
from constructs import Construct

from infra.assets import folder_asset
from infra.logs import log_group
from infra.settings import Settings
from stepweave.deployed import names

METRICS_NAMESPACE = "Stepweave"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """What a function is."""

    name: str
    """Its physical name (``names.function_name``)."""
    description: str
    code: Path
    """A ready folder (``infra.packaging``)."""
    digest: str
    """Of the folder's content."""
    handler: str
    """``functions.<name>.handler.handler``."""
    log_group: str
    """Name of its log group."""
    memory_mib: int = 512
    timeout_seconds: int = 60
    ephemeral_mib: int = 512
    environment: Mapping[str, str] = field(default_factory=dict)
    """Besides what every function has."""
    dead_letters: str = ""
    """ARN of the queue for events that were tried in vain; empty for functions that are not called asynchronously."""


class LambdaFunction(Construct):
    """The function, published as a version that stays, behind the alias ``live``.

    Its role may write to its own log group, and what ``statements`` say.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        spec: FunctionSpec,
        settings: Settings,
        statements: Iterable[aws_iam.PolicyStatement],
        own_log_group: bool = True,
    ) -> None:
        """Without ``own_log_group``, somebody else makes the log group."""
        super().__init__(scope, id)
        stack = Stack.of(self)
        if own_log_group:
            log_group(self, "Logs", name=spec.log_group, settings=settings)
        self.role = aws_iam.Role(
            self,
            "Role",
            description=f"{spec.name}: {spec.description}"[:1000],
            assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        for statement in [*_writes_logs(stack, spec.log_group), *statements]:
            self.role.add_to_policy(statement)
        if spec.dead_letters:
            self.role.add_to_policy(
                aws_iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[spec.dead_letters])
            )
        location = folder_asset(stack, path=spec.code, digest=spec.digest, shown=spec.name)
        self.function = aws_lambda.Function(
            self,
            "Function",
            function_name=spec.name,
            description=spec.description,
            runtime=aws_lambda.Runtime(f"python{settings.python}", aws_lambda.RuntimeFamily.PYTHON),
            architecture=_ARCHITECTURES[settings.architecture],
            code=aws_lambda.Code.from_bucket_v2(
                aws_s3.Bucket.from_bucket_name(self, "Assets", location.bucket_name), location.object_key
            ),
            handler=spec.handler,
            role=self.role.without_policy_updates(),
            memory_size=spec.memory_mib,
            timeout=Duration.seconds(spec.timeout_seconds),
            ephemeral_storage_size=Size.mebibytes(spec.ephemeral_mib),
            environment=environment(settings, spec),
            tracing=aws_lambda.Tracing.ACTIVE if settings.tracing else aws_lambda.Tracing.DISABLED,
        )
        self._configure(spec)
        self.version = self.function.current_version
        self.version.apply_removal_policy(RemovalPolicy.RETAIN)  # runs that began with it go on calling it
        self.alias = aws_lambda.Alias(self, "Live", alias_name=names.LIVE, version=self.version)

    def _configure(self, spec: FunctionSpec) -> None:
        """What the construct would do with resources of its own."""
        resource = self.function.node.default_child
        if not isinstance(resource, aws_lambda.CfnFunction):
            raise TypeError(f"expected the resource of {spec.name}, got {resource!r}")
        resource.logging_config = aws_lambda.CfnFunction.LoggingConfigProperty(log_group=spec.log_group)
        if spec.dead_letters:
            resource.dead_letter_config = aws_lambda.CfnFunction.DeadLetterConfigProperty(
                target_arn=spec.dead_letters
            )


def environment(settings: Settings, spec: FunctionSpec) -> dict[str, str]:
    """Variables of a function, sorted by name."""
    service = spec.handler.split(".")[1]
    common = {
        "STEPWEAVE_ENV": settings.env,
        "POWERTOOLS_SERVICE_NAME": service,
        "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
        "POWERTOOLS_LOG_LEVEL": settings.log_level,
    }
    if settings.tracing:  # importing the tracer takes time, so its absence means no
        common["POWERTOOLS_TRACE_ENABLED"] = "true"
    return dict(sorted({**common, **spec.environment}.items()))


def _writes_logs(stack: Stack, group: str) -> list[aws_iam.PolicyStatement]:
    return [
        aws_iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[
                f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{group}:log-stream:*"
            ],
        )
    ]


_ARCHITECTURES = {
    "arm64": aws_lambda.Architecture.ARM_64,
    "x86_64": aws_lambda.Architecture.X86_64,
}
