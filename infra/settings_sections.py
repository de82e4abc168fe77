"""The tables of an environment's file, one model each (:mod:`infra.settings`)."""

from __future__ import annotations

import platform
import sys
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

QueueKind: TypeAlias = Literal["cpu", "cpu_spot", "gpu", "gpu_spot", "fargate"]


def _python_of_this_machine(value: object) -> object:
    return f"{sys.version_info.major}.{sys.version_info.minor}" if value == "host" else value


def _architecture_of_this_machine(value: object) -> object:
    if value != "host":
        return value
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


Architecture: TypeAlias = Annotated[
    Literal["arm64", "x86_64"], BeforeValidator(_architecture_of_this_machine)
]
Python: TypeAlias = Annotated[
    Literal["3.11", "3.12", "3.13", "3.14"], BeforeValidator(_python_of_this_machine)
]
Days: TypeAlias = Annotated[int, Field(ge=1, le=3_650)]
Email: TypeAlias = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
TagKey: TypeAlias = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\w .:/=+@-]*$")]
TagValue: TypeAlias = Annotated[str, Field(max_length=256, pattern=r"^[\w .:/=+@-]*$")]
InstanceType: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9-]+)?$")]

LOG_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""What a log group may keep:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class Network(Section):
    """Where Batch runs. Functions need no VPC."""

    mode: Literal["create", "existing", "none"] = "create"
    """A VPC of its own, one that is there (`vpc_id`, `subnet_ids`), or none: Batch then has no compute of its own."""
    cidr: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+\.\d+/(1[6-9]|2[0-4])$")] = "10.64.0.0/16"
    """Addresses of a VPC that is created."""
    zones: Annotated[int, Field(ge=1, le=4)] = 2
    """Availability zones of a VPC that is created; more of them find more spot capacity."""
    egress: Literal["public_ip", "nat", "endpoints"] = "public_ip"
    """How jobs reach AWS: an address each, reachable by nobody (nothing while idle); a NAT gateway ($33 a month);
    or interface endpoints only (about $8 a month for each of 6 services and zone), without the internet. Of a VPC that
    is there it says whether jobs on Fargate get an address: without one, a public subnet leads nowhere."""
    vpc_id: Annotated[str, Field(pattern=r"^vpc-[0-9a-f]+$")] | None = None
    """The VPC to use when `mode` is `existing`."""
    subnet_ids: tuple[Annotated[str, Field(pattern=r"^subnet-[0-9a-f]+$")], ...] = ()
    """Its subnets that jobs run in; they need a way to ECR, ECS, CloudWatch Logs, S3 and DynamoDB."""


class Queue(Section):
    """A job queue of Batch and its compute."""

    instance_types: tuple[InstanceType, ...] = ()
    """Families or types, such as `c7g` or `g5.xlarge`; not for Fargate. Empty: what suits the architecture."""
    max_vcpus: Annotated[int, Field(ge=1, le=100_000)] = 64
    """vCPUs of all its jobs together: the brake on its cost."""
    spot_percent: Annotated[int, Field(ge=1, le=100)] = 100
    """Of a spot queue: the part of `max_vcpus` that is spot; the rest is on demand, for when no spot is to be had."""
    bid_percent: Annotated[int, Field(ge=1, le=100)] = 100
    """Of a spot queue: the most it pays, in percent of the price on demand."""
    stuck_after_minutes: Annotated[int, Field(ge=10, le=1_440)] = 60
    """A job at the head of the queue that no instance can be found for is cancelled after this time."""
    disk_gib: Annotated[int, Field(ge=30, le=16_384)] = 100
    """Disk of each instance; not for Fargate."""

    @property
    def spot_vcpus(self) -> int:
        """Of a spot queue: the vCPUs that are spot."""
        return max(1, self.max_vcpus * self.spot_percent // 100)


class Queues(Section):
    """The job queues."""

    cpu: Queue = Queue()
    """Tasks on Batch without a GPU."""
    cpu_spot: Queue = Queue()
    """The same with `spot=True`."""
    gpu: Queue = Queue(max_vcpus=32)
    """Tasks with a GPU."""
    gpu_spot: Queue = Queue(max_vcpus=32)
    """The same with `spot=True`."""
    fargate: Queue = Queue(max_vcpus=32)
    """Tasks with `compute=Fargate`."""

    def kinds(self) -> dict[QueueKind, Queue]:
        """Every queue by its kind."""
        return {
            "cpu": self.cpu,
            "cpu_spot": self.cpu_spot,
            "gpu": self.gpu,
            "gpu_spot": self.gpu_spot,
            "fargate": self.fargate,
        }


class Alarms(Section):
    """Who is told, and of what alarms are made."""

    warn_emails: tuple[Email, ...] = ()
    """Told of failed runs and of everything that can wait until the morning."""
    page_emails: tuple[Email, ...] = ()
    """Told of what cannot wait."""
    ask_emails: tuple[Email, ...] = ()
    """Asked for approvals."""
    slack: bool = False
    """Post warnings and pages to Slack; the webhook is in the secret `stepweave/<env>/notify`."""
    pagerduty: bool = False
    """Send pages to PagerDuty; the key is in the same secret."""
    per_dag: bool = False
    """Alarms of each DAG, at $0.10 a month and metric. Without them the failure notices and the alarms of the
    fleet remain."""


class Encryption(Section):
    """Keys. Bucket, table, queues and logs are encrypted with keys of AWS, which cost nothing."""

    topics: bool = False
    """The topics are encrypted with a key of this account ($1 a month). They have no other encryption at rest that
    lets alarms publish (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html)."""


class Dashboards(Section):
    """Dashboards of CloudWatch: three of an account are free, each further one is $3 a month."""

    per_dag: bool = False
    """One for each DAG, besides that of the environment, on which a DAG is chosen."""


class Metrics(Section):
    """Metrics of CloudWatch: $0.30 a month each, by the hours in which there are values."""

    per_task: bool = False
    """Seconds, memory and outcome of each task as metrics. Without them they are in the logs, where queries find
    them."""


class Approvals(Section):
    """How people are asked."""

    links: bool = True
    """Messages carry a signed link to a page that decides. Without: only `stepweave approve --env`."""


class Retention(Section):
    """How long things are kept."""

    logs_days: Literal[LOG_DAYS] = 30  # type: ignore[valid-type]
    """Log groups."""
    artifacts_days: Days | None = None
    """What runs stored (`runs/`); left out: for ever."""
    checkpoints_days: Days = 30
    """Checkpoints of tasks."""
    cache_days: Days = 90
    """Cached results of tasks; a task whose entry is gone runs again."""
    noncurrent_days: Days = 30
    """Objects that were replaced or deleted."""
    records_days: Days = 400
    """Records of runs."""
    versions_days: Days = 90
    """Versions of functions and state machines after a newer one took their place: longer than any run lasts, waiting
    for people included. The newest three, and what runs start on, stay."""


class Deploy(Section):
    """How a new version of a DAG takes over."""

    shift: Literal["all-at-once", "linear", "canary"] = "all-at-once"
    """The new version gets all new runs at once, or `percent` of them every `minutes`, or `percent` for `minutes` and
    then all. The last two roll back when runs fail, by an alarm of each DAG ($0.10 a month)."""
    percent: Annotated[int, Field(ge=1, le=99)] = 10
    """Part of the new runs that a step shifts."""
    minutes: Annotated[int, Field(ge=1, le=2_100)] = 10
    """Length of a step."""
