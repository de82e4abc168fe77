"""`DeployedFunction`: a Lambda function with a published version, and if it is called by name an alias.

A version outlives the next ones: runs that began with it go on calling it. Its id holds a digest of all that makes it,
and so does the description of the function: Lambda refuses to publish a function that has not changed since its last
version, and so the two must change together, or not at all.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import RemovalPolicy, Stack, aws_lambda
from constructs import Construct

from infra import assets
from infra.code import CodeFolder
from infra.settings import Settings
from stepweave.deployed import names

_TOKEN = re.compile(r"\$\{Token\[([^\]]*?)\.\d+\]\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """What a function is made of."""

    name: str
    description: str
    handler: str
    code: CodeFolder
    memory_mib: int
    timeout_seconds: int
    ephemeral_mib: int = 512
    environment: Mapping[str, str]
    log_group: str

    def digest(self, settings: Settings) -> str:
        """What changes when the function does."""
        parts = [
            self.description,
            self.handler,
            self.code.digest,
            self.memory_mib,
            self.timeout_seconds,
            self.ephemeral_mib,
            {key: _plain(value) for key, value in sorted(self.environment.items())},
            _plain(self.log_group),
            settings.architecture,
            settings.python,
            settings.tracing,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:10]


class DeployedFunction(Construct):
    """A function and its version."""

    def __init__(
        self, scope: Construct, id: str, *, spec: FunctionSpec, role_arn: str, settings: Settings, alias: bool
    ) -> None:
        super().__init__(scope, id)
        digest = spec.digest(settings)
        bucket, key = assets.code(Stack.of(self), spec.code.path, spec.code.digest)
        self.function = aws_lambda.CfnFunction(
            self,
            "Function",
            function_name=spec.name,
            description=f"{spec.description} [{digest}]",
            code=aws_lambda.CfnFunction.CodeProperty(s3_bucket=bucket, s3_key=key),
            handler=spec.handler,
            runtime=f"python{settings.python}",
            architectures=[settings.architecture],
            role=role_arn,
            memory_size=spec.memory_mib,
            timeout=spec.timeout_seconds,
            ephemeral_storage=aws_lambda.CfnFunction.EphemeralStorageProperty(size=spec.ephemeral_mib),
            environment=aws_lambda.CfnFunction.EnvironmentProperty(variables=dict(spec.environment)),
            logging_config=aws_lambda.CfnFunction.LoggingConfigProperty(
                log_group=spec.log_group, log_format="Text"
            ),
            tracing_config=aws_lambda.CfnFunction.TracingConfigProperty(
                mode="Active" if settings.tracing else "PassThrough"
            ),
        )
        self.version = aws_lambda.CfnVersion(self, f"Version{digest}", function_name=self.function.ref)
        # A deployment that is rolled back takes its version with it, or the next one could not publish it again.
        self.version.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        self.alias = self._alias() if alias else None

    @property
    def version_arn(self) -> str:
        """ARN of the published version."""
        return self.version.ref

    def _alias(self) -> aws_lambda.CfnAlias:
        return aws_lambda.CfnAlias(
            self,
            "Live",
            name=names.LIVE,
            function_name=self.function.ref,
            function_version=self.version.attr_version,
        )


def _plain(value: str) -> str:
    """``value`` without the numbers of its tokens, which depend on what else was made before."""
    return _TOKEN.sub(r"\1", value)


def environment(settings: Settings, store: str, table: str, service: str) -> dict[str, str]:
    """The environment that every function has."""
    return {
        "STEPWEAVE_ENV": settings.env,
        "STEPWEAVE_STORE": store,
        "STEPWEAVE_TABLE": table,
        "POWERTOOLS_SERVICE_NAME": service,
        "POWERTOOLS_METRICS_NAMESPACE": "Stepweave",
        "POWERTOOLS_LOG_LEVEL": settings.log_level,
        **({"POWERTOOLS_TRACE_ENABLED": "true"} if settings.tracing else {}),
    }


def task_metrics(settings: Settings) -> dict[str, str]:
    """What tells tasks to write metrics of their own; each is paid for by the hour."""
    return {"STEPWEAVE_TASK_METRICS": "1"} if settings.metrics.per_task else {}
