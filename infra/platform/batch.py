"""`JobQueues`: a queue of Batch for each kind of job, its compute, and what keeps a job from waiting for ever."""

from __future__ import annotations

from typing import Literal

from aws_cdk import Annotations, aws_batch
from constructs import Construct

from infra.instance_types import sizes, types_of
from infra.platform.instances import Instances
from infra.platform.network import Network
from infra.settings import Settings
from infra.settings_sections import Queue, QueueKind
from infra.tags import tags_of
from stepweave.deployed import names

MISCONFIGURED_SECONDS = 600
"""A job that no compute of its queue can ever hold is cancelled after ten minutes, the least that Batch allows:
https://docs.aws.amazon.com/batch/latest/APIReference/API_JobStateTimeLimitAction.html"""

FAIR_SHARE_SECONDS = 3_600
"""How long what somebody used counts against the next jobs."""

Compute = Literal["EC2", "SPOT", "FARGATE"]


class JobQueues(Construct):
    """Queues, all of them fair: the DAG (or its owner) that used least lately comes first."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, network: Network | None) -> None:
        super().__init__(scope, id)
        self._settings = settings
        self._network = network
        self._instances = Instances(self, "Instances", settings=settings) if network else None
        self._fair = aws_batch.CfnSchedulingPolicy(
            self,
            "FairShare",
            fairshare_policy=aws_batch.CfnSchedulingPolicy.FairsharePolicyProperty(
                share_decay_seconds=FAIR_SHARE_SECONDS
            ),
        )
        self.queues = {kind: self._queue(kind, queue) for kind, queue in settings.queues.kinds().items()}

    def _queue(self, kind: QueueKind, queue: Queue) -> aws_batch.CfnJobQueue:
        order = aws_batch.CfnJobQueue.ComputeEnvironmentOrderProperty
        environments = [
            order(order=number, compute_environment=one.attr_compute_environment_arn)
            for number, one in enumerate(self._environments(kind, queue), start=1)
        ]
        return aws_batch.CfnJobQueue(
            self,
            f"{_titled(kind)}Queue",
            job_queue_name=names.queue_name(self._settings.env, kind),
            priority=1,
            scheduling_policy_arn=self._fair.attr_arn,
            compute_environment_order=environments,
            job_state_time_limit_actions=_limits(queue),
        )

    def _environments(self, kind: QueueKind, queue: Queue) -> list[aws_batch.CfnComputeEnvironment]:
        """Compute of a queue, what is tried first at first."""
        name = _titled(kind)
        if self._network is None or self._instances is None:
            return [aws_batch.CfnComputeEnvironment(self, f"{name}Compute", type="UNMANAGED")]
        if kind == "fargate":
            return [self._managed(name, self._fargate(queue, self._network))]
        if not kind.endswith("_spot"):
            return [self._managed(name, self._ec2(kind, queue, "EC2", queue.max_vcpus))]
        found = [self._managed(name, self._ec2(kind, queue, "SPOT", queue.spot_vcpus))]
        if queue.max_vcpus > queue.spot_vcpus:
            rest = self._ec2(kind, queue, "EC2", queue.max_vcpus - queue.spot_vcpus)
            found.append(self._managed(f"{name}OnDemand", rest))
        return found

    def _managed(
        self,
        name: str,
        resources: aws_batch.CfnComputeEnvironment.ComputeResourcesProperty,
    ) -> aws_batch.CfnComputeEnvironment:
        """A compute environment that is updated in place; jobs that run are given half an hour to end."""
        fargate = resources.type == "FARGATE"
        return aws_batch.CfnComputeEnvironment(
            self,
            f"{name}Compute",
            type="MANAGED",
            state="ENABLED",
            replace_compute_environment=False,
            compute_resources=resources,
            update_policy=None
            if fargate
            else aws_batch.CfnComputeEnvironment.UpdatePolicyProperty(
                terminate_jobs_on_update=False, job_execution_timeout_minutes=30
            ),
        )

    def _fargate(
        self, queue: Queue, network: Network
    ) -> aws_batch.CfnComputeEnvironment.ComputeResourcesProperty:
        return aws_batch.CfnComputeEnvironment.ComputeResourcesProperty(
            type="FARGATE",
            maxv_cpus=queue.max_vcpus,
            subnets=network.subnet_ids,
            security_group_ids=[network.security_group_id],
        )

    def _ec2(
        self, kind: QueueKind, queue: Queue, compute: Compute, max_vcpus: int
    ) -> aws_batch.CfnComputeEnvironment.ComputeResourcesProperty:
        network, instances = self._network, self._instances
        if network is None or instances is None:  # asked by `_environments` before
            raise ValueError("instances need a network")
        gpu, spot = kind.startswith("gpu"), compute == "SPOT"
        types = types_of(kind, queue, self._settings.architecture)
        self._tell_of_unknown(types)
        return aws_batch.CfnComputeEnvironment.ComputeResourcesProperty(
            type=compute,
            allocation_strategy="SPOT_PRICE_CAPACITY_OPTIMIZED" if spot else "BEST_FIT_PROGRESSIVE",
            bid_percentage=queue.bid_percent if spot else None,
            minv_cpus=0,  # nothing runs, nothing is paid
            maxv_cpus=max_vcpus,
            instance_types=list(types),
            instance_role=instances.profile_arn,
            launch_template=instances.template(queue.disk_gib),
            ec2_configuration=[
                aws_batch.CfnComputeEnvironment.Ec2ConfigurationObjectProperty(
                    image_type="ECS_AL2023_NVIDIA" if gpu else "ECS_AL2023"
                )
            ],
            update_to_latest_image_version=True,
            subnets=network.subnet_ids,
            security_group_ids=[network.security_group_id],
            # Of the instances: they are what costs.
            tags={"Name": names.queue_name(self._settings.env, kind), **tags_of(self._settings)},
        )

    def _tell_of_unknown(self, types: tuple[str, ...]) -> None:
        """What is not in the table is not checked: the synthesis says so, once for each type."""
        for name in types:
            if not sizes(name):
                Annotations.of(self).add_warning_v2(
                    f"stepweave:instance-type-{name}",
                    f"nothing is known of the size of {name!r} (infra/instance_types.py): whether jobs fit its "
                    "instances is not checked",
                )


def _limits(queue: Queue) -> list[aws_batch.CfnJobQueue.JobStateTimeLimitActionProperty]:
    """When a job at the head of the queue, which keeps all others waiting, is cancelled."""
    after = {
        "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY": queue.stuck_after_minutes * 60,
        "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE": MISCONFIGURED_SECONDS,
        "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT": MISCONFIGURED_SECONDS,
    }
    return [
        aws_batch.CfnJobQueue.JobStateTimeLimitActionProperty(
            action="CANCEL", state="RUNNABLE", reason=reason, max_time_seconds=seconds
        )
        for reason, seconds in after.items()
    ]


def _titled(kind: str) -> str:
    """``gpu_spot`` as part of a construct's id: ``GpuSpot``."""
    return "".join(part.capitalize() for part in kind.split("_"))
