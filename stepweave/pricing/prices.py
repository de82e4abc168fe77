"""`PRICES`: every price that is used anywhere, with its page; `usd(key, region)`: one of them.

On-demand prices in us-east-1 in US dollars, without taxes, discounts and free tiers, in November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass

from stepweave.errors import UsageError

HOURS_PER_MONTH = 730
"""As AWS counts a month: https://docs.aws.amazon.com/pricing-calculator/latest/userguide/what-is-pricing-calculator.html"""

HOME = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one unit of something costs."""

    key: str
    what: str
    service: str
    unit: str
    usd: float
    source: str
    """Page of the price."""
    compared: str = ""
    """Month in which the number was last compared with a text; empty: as it is generally known."""
    free: float = 0.0
    """Units a month that are free for ever, in the whole account."""


_SFN = "https://aws.amazon.com/step-functions/pricing/"
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_EC2 = "https://aws.amazon.com/ec2/pricing/on-demand/"
_FARGATE = "https://aws.amazon.com/fargate/pricing/"
_S3 = "https://aws.amazon.com/s3/pricing/"
_TABLE = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_WATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_EVENTS = "https://aws.amazon.com/eventbridge/pricing/"
_VPC = "https://aws.amazon.com/vpc/pricing/"


def _price(
    key: str,
    usd: float,
    unit: str,
    what: str,
    service: str,
    source: str,
    compared: str = "",
    free: float = 0.0,
) -> Price:
    return Price(
        key=key, usd=usd, unit=unit, what=what, service=service, source=source, compared=compared, free=free
    )


SPOT_SHARE = 0.4
"""Price of spot capacity as a share of the price on demand. An assumption: it changes by the hour, and AWS promises "up
to 90 %" less (https://aws.amazon.com/ec2/spot/pricing/)."""

_ARM_CPU = 0.0816 / 2  # m7g.large
_X86_CPU = 0.1008 / 2  # m7i.large
_GPU = 1.006

PRICES: dict[str, Price] = {
    price.key: price
    for price in (
        _price("transition", 0.025e-3, "transition", "state transitions", "Step Functions", _SFN, "2026-11", 4_000),
        _price("lambda_request", 0.20e-6, "request", "function calls", "Lambda", _LAMBDA, "", 1_000_000),
        _price("lambda_arm64", 0.0000133334, "GiB-s", "function time, arm64", "Lambda", _LAMBDA, "", 400_000),
        _price("lambda_x86_64", 0.0000166667, "GiB-s", "function time, x86_64", "Lambda", _LAMBDA, "", 400_000),
        _price("cpu_arm64", _ARM_CPU, "vCPU-h", "jobs, share of m7g", "EC2", _EC2, "2026-06"),
        _price("cpu_arm64_spot", _ARM_CPU * SPOT_SHARE, "vCPU-h", "jobs on spot, share of m7g", "EC2", _EC2, "2026-06"),
        _price("cpu_x86_64", _X86_CPU, "vCPU-h", "jobs, share of m7i", "EC2", _EC2),
        _price("cpu_x86_64_spot", _X86_CPU * SPOT_SHARE, "vCPU-h", "jobs on spot, share of m7i", "EC2", _EC2),
        _price("gpu", _GPU, "GPU-h", "jobs with a GPU, g5.xlarge", "EC2", _EC2, "2026-06"),
        _price("gpu_spot", _GPU * SPOT_SHARE, "GPU-h", "jobs with a GPU on spot, g5.xlarge", "EC2", _EC2, "2026-06"),
        _price("fargate_arm64", 0.03238, "vCPU-h", "jobs, arm64", "Fargate", _FARGATE, "2026-11"),
        _price("fargate_arm64_gib", 0.00356, "GiB-h", "memory of jobs, arm64", "Fargate", _FARGATE, "2026-11"),
        _price("fargate_x86_64", 0.04048, "vCPU-h", "jobs, x86_64", "Fargate", _FARGATE, "2026-11"),
        _price("fargate_x86_64_gib", 0.004445, "GiB-h", "memory of jobs, x86_64", "Fargate", _FARGATE, "2026-11"),
        _price("fargate_disk", 0.000111, "GiB-h", "disk of jobs beyond 20 GiB", "Fargate", _FARGATE, "2026-11"),
        _price("s3_put", 0.005e-3, "request", "objects written or listed", "S3", _S3),
        _price("s3_get", 0.0004e-3, "request", "objects read", "S3", _S3),
        _price("s3_gib", 0.023, "GiB-month", "objects kept", "S3", _S3),
        _price("table_write", 0.625e-6, "request", "items written", "DynamoDB", _TABLE, "2026-11"),
        _price("table_read", 0.125e-6, "request", "items read", "DynamoDB", _TABLE, "2026-11"),
        _price("log_gib", 0.50, "GiB", "logs written", "CloudWatch", _WATCH, "2026-06", 5),
        _price("metric", 0.30, "metric-month", "custom metrics, by the hour", "CloudWatch", _WATCH, "2026-06", 10),
        _price("alarm", 0.10, "metric-month", "metrics that alarms watch", "CloudWatch", _WATCH, "2026-06", 10),
        _price("composite_alarm", 0.50, "alarm-month", "composite alarms", "CloudWatch", _WATCH, "2026-06"),
        _price("dashboard", 3.00, "dashboard-month", "dashboards", "CloudWatch", _WATCH, "2026-06", 3),
        _price("schedule", 1.00e-6, "call", "schedules that fire", "EventBridge", _EVENTS, "", 14_000_000),
        _price("rule_call", 1.00e-6, "event", "events of one's own", "EventBridge", _EVENTS),
        _price("secret", 0.40, "secret-month", "secrets", "Secrets Manager",
               "https://aws.amazon.com/secrets-manager/pricing/"),
        _price("key", 1.00, "key-month", "keys of one's own", "KMS", "https://aws.amazon.com/kms/pricing/"),
        _price("parameter", 0.05, "parameter-month", "advanced parameters", "Systems Manager",
               "https://aws.amazon.com/systems-manager/pricing/"),
        _price("nat", 0.045, "hour", "NAT gateways", "VPC", _VPC),
        _price("endpoint", 0.01, "hour", "interface endpoints, for each zone", "VPC",
               "https://aws.amazon.com/privatelink/pricing/"),
        _price("address", 0.005, "hour", "public IPv4 addresses", "VPC", _VPC),
        _price("sqs_request", 0.40e-6, "request", "queue requests", "SQS", "https://aws.amazon.com/sqs/pricing/", "",
               1_000_000),
        _price("mwaa_small", 0.49, "hour", "an environment mw1.small of Amazon MWAA", "MWAA",
               "https://aws.amazon.com/managed-workflows-for-apache-airflow/pricing/", "2026-11"),
    )
}  # fmt: skip
"""Every price by its key."""

REGIONS = (
    "af-south-1", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
    "eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3", "me-south-1", "sa-east-1",
    "us-east-1", "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
"""Regions in which a price may be asked for."""

FACTORS: dict[str, dict[str, float]] = {
    "EC2": {
        "eu-west-1": 0.107 / 0.096, "eu-west-2": 0.111 / 0.096, "eu-central-1": 0.115 / 0.096,
        "eu-north-1": 0.102 / 0.096, "eu-west-3": 0.112 / 0.096, "ca-central-1": 0.107 / 0.096,
        "us-west-1": 0.112 / 0.096, "ap-northeast-1": 0.124 / 0.096, "ap-northeast-2": 0.118 / 0.096,
        "ap-south-1": 0.101 / 0.096, "ap-southeast-1": 0.12 / 0.096, "ap-southeast-2": 0.12 / 0.096,
        "sa-east-1": 0.153 / 0.096,
    },
    "Step Functions": {
        "us-west-1": 0.0279 / 0.025, "sa-east-1": 0.0375 / 0.025, "eu-west-3": 0.0297 / 0.025,
        "ap-northeast-2": 0.0271 / 0.025, "ap-south-1": 0.0285 / 0.025,
    },
}  # fmt: skip
"""What a service costs in a region, as a multiple of us-east-1: EC2 by m6i.large, Step Functions by its page. Where
nothing is said it is taken as 1; S3, CloudWatch and DynamoDB differ by up to a fifth."""


def usd(key: str, region: str = HOME) -> float:
    """The price of one unit in a region; ``UsageError`` for a region that is not known."""
    if region not in REGIONS:
        raise UsageError(f"no prices for the region {region!r}; there are: {', '.join(REGIONS)}")
    price = PRICES[key]
    return price.usd * FACTORS.get(price.service, {}).get(region, 1.0)
