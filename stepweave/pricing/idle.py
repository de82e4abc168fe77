"""`idle(templates) -> Idle`: what an environment costs a month in which nothing runs, from its templates.

Every type of resource is either priced here, or known to cost nothing while it is idle, or told as unknown: nothing is
left out in silence.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepweave.errors import UsageError
from stepweave.pricing.estimating import PLATFORM_MIB
from stepweave.pricing.prices import HOURS_PER_MONTH
from stepweave.pricing.usage import Usage, total

Properties = Mapping[str, Any]

STANDARD_PARAMETER_BYTES = 4_096
"""Longer parameters are advanced ones:
https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"""
RECONCILE_SECONDS = 5.0
"""Billed time of a call of the recorder by the clock."""
RECONCILE_METRICS = 2
"""Custom metrics that it emits each time: queued runs, missed schedules."""
MANIFEST = "manifest.json"
"""What a cloud assembly holds: https://docs.aws.amazon.com/cdk/v2/guide/deploy.html"""
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_MINUTES = {"minute": 1, "hour": 60, "day": 1_440}
HIGH_RESOLUTION_SECONDS = 60
"""An alarm with a shorter period costs three times as much: https://aws.amazon.com/cloudwatch/pricing/"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """What the resources of some templates cost a month."""

    by_type: Mapping[str, Usage]
    """Usage of a month by type of resource; types that cost nothing are left out."""
    resources: int
    unknown: Mapping[str, int]
    """Types of which nothing is known here, and how many resources have them."""
    instances: int
    """vCPUs that compute environments keep running; they are not priced."""

    @property
    def usage(self) -> Usage:
        """All of it, without NAT gateways, endpoints and instances."""
        return Usage({key: amount for key, amount in self.all.amounts.items() if key not in _NETWORK})

    @property
    def all(self) -> Usage:
        """All of it."""
        return total(self.by_type.values())


def idle(templates: Iterable[Mapping[str, Any]]) -> Idle:
    """The monthly cost of what some CloudFormation templates create, as long as nothing runs."""
    used: dict[str, Usage] = {}
    unknown: Counter[str] = Counter()
    count = instances = 0
    for template in templates:
        for resource in template.get("Resources", {}).values():
            kind, properties = resource["Type"], resource.get("Properties", {})
            count += 1
            if kind in _PRICED:
                found = _PRICED[kind](properties)
                if found.amounts:
                    used[kind] = used.get(kind, Usage()) + found
            elif not _is_free(kind):
                unknown[kind] += 1
            if kind == "AWS::Batch::ComputeEnvironment":
                instances += int(properties.get("ComputeResources", {}).get("MinvCpus", 0) or 0)
    return Idle(by_type=used, resources=count, unknown=dict(sorted(unknown.items())), instances=instances)


def templates_in(folder: Path) -> dict[str, Mapping[str, Any]]:
    """The templates of a cloud assembly (``cdk.out``), by name; ``UsageError`` where there are none.

    Where the assembly has a manifest, those of its stacks: CDK leaves templates of earlier syntheses beside them.
    """
    if folder.is_file():
        return {folder.name: _read(folder)}
    manifest = folder / MANIFEST
    paths = _of_stacks(manifest) if manifest.is_file() else folder.rglob("*.template.json")
    found = {path.name: _read(path) for path in sorted(paths)}
    if not found:
        raise UsageError(
            f"there is no template in {str(folder)!r}; write them with `cdk synth` and give --template cdk.out"
        )
    return found


def _of_stacks(manifest: Path) -> Iterator[Path]:
    """The templates of the stacks of an assembly, and of those that are nested in it (the stages of an app)."""
    try:
        artifacts = json.loads(manifest.read_text(encoding="utf-8")).get("artifacts", {})
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the manifest {str(manifest)!r} cannot be read: {error}; run `cdk synth`"
        ) from error
    for artifact in artifacts.values():
        if artifact["type"] == "aws:cloudformation:stack":
            yield manifest.parent / artifact["properties"]["templateFile"]
        elif artifact["type"] == "cdk:cloud-assembly":
            yield from _of_stacks(manifest.parent / artifact["properties"]["directoryName"] / MANIFEST)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        template = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the template {str(path)!r} cannot be read: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources", {}), dict):
        raise UsageError(f"{str(path)!r} is no CloudFormation template: expected an object with Resources")
    return template


def _alarm(properties: Properties) -> Usage:
    metrics = [one for one in properties.get("Metrics", ()) if "MetricStat" in one]
    times = 3 if int(properties.get("Period", HIGH_RESOLUTION_SECONDS)) < HIGH_RESOLUTION_SECONDS else 1
    return Usage.of(alarm=times * max(1, len(metrics)))


def _parameter(properties: Properties) -> Usage:
    value = properties.get("Value", "")
    text = value if isinstance(value, str) else json.dumps(value)
    advanced = properties.get("Tier") == "Advanced" or len(text.encode()) > STANDARD_PARAMETER_BYTES
    return Usage.of(parameter=int(advanced))


def _rule(properties: Properties) -> Usage:
    """A rule of the clock calls a function: the recorder, which looks every hour whether something was missed."""
    found = _RATE.fullmatch(str(properties.get("ScheduleExpression", "")))
    if found is None:
        return Usage()
    calls = HOURS_PER_MONTH * 60 / (int(found[1]) * _MINUTES[found[2]])
    gib_seconds = calls * RECONCILE_SECONDS * PLATFORM_MIB / 1_024
    return Usage.of(lambda_request=calls, lambda_arm64=gib_seconds, metric=RECONCILE_METRICS)


def _endpoint(properties: Properties) -> Usage:
    if properties.get("VpcEndpointType", "Gateway") != "Interface":
        return Usage()
    return Usage.of(endpoint=HOURS_PER_MONTH * max(1, len(properties.get("SubnetIds", ()))))


_PRICED: dict[str, Callable[[Properties], Usage]] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": lambda _: Usage.of(composite_alarm=1),
    "AWS::CloudWatch::Dashboard": lambda _: Usage.of(dashboard=1),
    "AWS::SecretsManager::Secret": lambda _: Usage.of(secret=1),
    "AWS::KMS::Key": lambda _: Usage.of(key=1),
    "AWS::SSM::Parameter": _parameter,
    "AWS::EC2::NatGateway": lambda _: Usage.of(nat=HOURS_PER_MONTH, address=HOURS_PER_MONTH),
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::Events::Rule": _rule,
}
"""What a month of a resource uses, by its type."""

_NETWORK = ("nat", "address", "endpoint")

_FREE = (
    "AWS::ApiGatewayV2::",  # by the request
    "AWS::Batch::",  # instances are billed while they run; see `instances`
    "AWS::CDK::Metadata",
    "AWS::DynamoDB::",  # on demand: by the request and by what is stored
    "AWS::EC2::FlowLog", "AWS::EC2::InternetGateway", "AWS::EC2::LaunchTemplate", "AWS::EC2::Route",
    "AWS::EC2::EIP",  # billed with the NAT gateway that holds it
    "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::EC2::VPC", "AWS::ECR::Repository", "AWS::ECS::Cluster",
    "AWS::Events::EventBus", "AWS::Events::EventBusPolicy", "AWS::IAM::", "AWS::Lambda::", "AWS::Logs::", "AWS::S3::",
    "AWS::SNS::", "AWS::SQS::",
    "AWS::Scheduler::", "AWS::SecretsManager::SecretTargetAttachment", "AWS::SecretsManager::ResourcePolicy",
    "AWS::StepFunctions::", "AWS::KMS::Alias", "AWS::ResourceGroups::", "AWS::XRay::Group", "AWS::XRay::SamplingRule",
    "Custom::",  # a call of a function while it is deployed
)  # fmt: skip
"""Beginnings of the types that cost nothing while nothing runs, apart from what they store."""


def _is_free(kind: str) -> bool:
    return kind.startswith(_FREE)
