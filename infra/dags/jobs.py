"""`Jobs`: the job definitions of a DAG, their image, their log group and their roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import Stack, aws_batch
from constructs import Construct

from infra import assets
from infra.arns import Arns
from infra.code import Code
from infra.dags.job_specs import JobSpec
from infra.functions import task_metrics
from infra.needs import ANY, Need, only_if
from infra.roles import service_role
from infra.settings import Settings
from stepweave.compiler import Compiled
from stepweave.deployed import names
from stepweave.planning.profiles import ImageProfile

WORKER = ("python", "-m", "functions.batch_worker.worker")
USER = "10001"
"""The user of the image that may do nothing else."""
ATTEMPTS = 5
"""Attempts of a job whose instance is taken away; ten are allowed."""
RECLAIMED_STATUS = "143"
"""Exit status of a worker that was told to stop: 128 + SIGTERM."""


class Jobs(Construct):
    """Job definitions by the part of their name."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        compiled: Compiled,
        specs: Mapping[str, JobSpec],
        needs: Iterable[Need],
        log: str,
        log_group: str,
        code: Code,
        settings: Settings,
        arns: Arns,
    ) -> None:
        """``specs`` by part; ``log`` is the name of the log group, ``log_group`` the reference to it."""
        super().__init__(scope, id)
        self._compiled, self._settings, self._code, self._arns = compiled, settings, code, arns
        self._log_group = log_group
        only = only_if("StringEquals", "aws:SourceAccount", arns.account)
        dag = compiled.graph.dag.id
        self._job_role = service_role(
            self,
            "JobRole",
            service="ecs-tasks.amazonaws.com",
            needs=needs,
            only=only,
            description=f"Tasks of {dag} on Batch",
        )
        self._execution_role = service_role(
            self,
            "ExecutionRole",
            service="ecs-tasks.amazonaws.com",
            needs=execution_needs(log, arns),
            only=only,
            description=f"Starts the containers of {dag}",
        )
        self._images: dict[ImageProfile, str] = {}
        self.definitions = {part: self._definition(part, specs[part]) for part in sorted(specs)}

    def _definition(self, part: str, spec: JobSpec) -> aws_batch.CfnJobDefinition:
        dag = self._compiled.graph.dag.id
        return aws_batch.CfnJobDefinition(
            self,
            f"Definition-{part}",
            type="container",
            job_definition_name=names.job_definition_name(self._settings.env, dag, part),
            platform_capabilities=["FARGATE" if spec.fargate else "EC2"],
            propagate_tags=True,
            container_properties=self._container(spec),
            retry_strategy=retries(),
            timeout=aws_batch.CfnJobDefinition.TimeoutProperty(attempt_duration_seconds=spec.timeout_seconds),
            # A run that began before a deployment goes on submitting the revision that it began with.
            resource_retention_policy=aws_batch.CfnJobDefinition.ResourceRetentionPolicyProperty(
                skip_deregister_on_update=True
            ),
        )

    def _container(self, spec: JobSpec) -> aws_batch.CfnJobDefinition.ContainerPropertiesProperty:
        profile = ImageProfile(gpu=bool(spec.gpu), requirements=spec.requirements)
        local = self._settings.is_local
        variables = {
            "STEPWEAVE_ENV": self._settings.env,
            "STEPWEAVE_STORE": f"s3://{self._arns.bucket_name()}",
            # Lambda and Fargate say where they are; ECS on an instance does not
            # (https://github.com/aws/containers-roadmap/issues/1611), and the store would ask us-east-1.
            "AWS_REGION": self._arns.region,
            "AWS_DEFAULT_REGION": self._arns.region,
            "POWERTOOLS_LOG_LEVEL": self._settings.log_level,
            "HOME": "/tmp",  # libraries that keep caches find nothing else that they can write
            "POWERTOOLS_SERVICE_NAME": "batch_worker",
            "POWERTOOLS_METRICS_NAMESPACE": "Stepweave",
            **task_metrics(self._settings),
            **({"STEPWEAVE_BUNDLE": self._bundle(profile)} if local else {}),
        }
        place = on_fargate(spec, self._settings) if spec.fargate else on_instance()
        return aws_batch.CfnJobDefinition.ContainerPropertiesProperty(
            image="local" if local else self._image(profile),
            command=list(WORKER),
            job_role_arn=self._job_role.attr_arn,
            execution_role_arn=self._execution_role.attr_arn,
            environment=[
                aws_batch.CfnJobDefinition.EnvironmentProperty(name=name, value=value)
                for name, value in variables.items()
            ],
            resource_requirements=requirements(spec),
            linux_parameters=linux(spec),
            user=USER,
            log_configuration=aws_batch.CfnJobDefinition.LogConfigurationProperty(
                log_driver="awslogs",
                options={"awslogs-group": self._log_group, "awslogs-stream-prefix": "job"},
            ),
            **place,
        )

    def _bundle(self, profile: ImageProfile) -> str:
        if profile not in self._images:
            found = self._code.worker(self._compiled, profile)
            bucket, key = assets.code(Stack.of(self), found.path, found.digest)
            self._images[profile] = f"s3://{bucket}/{key}"
        return self._images[profile]

    def _image(self, profile: ImageProfile) -> str:
        if profile not in self._images:
            source = self._code.image(self._compiled, profile)
            self._images[profile] = assets.image(
                Stack.of(self),
                source.context,
                source.dockerfile,
                source.digest,
                arguments=dict(source.arguments),
                platform=source.platform,
            )
        return self._images[profile]


def requirements(spec: JobSpec) -> list[aws_batch.CfnJobDefinition.ResourceRequirementProperty]:
    """What a job asks its instance, or Fargate, for."""
    asked: Mapping[str, float] = {"VCPU": spec.cpu, "MEMORY": spec.memory_mib, "GPU": spec.gpu}
    return [
        aws_batch.CfnJobDefinition.ResourceRequirementProperty(type=kind, value=f"{amount:.10g}")
        for kind, amount in asked.items()
        if amount
    ]


def on_instance() -> dict[str, Any]:
    """Properties of containers on instances: nothing can be written but scratch space on the instance's disk."""
    made = aws_batch.CfnJobDefinition
    return {
        "privileged": False,
        "readonly_root_filesystem": True,
        "volumes": [made.VolumesProperty(name="scratch")],
        "mount_points": [made.MountPointsProperty(source_volume="scratch", container_path="/tmp")],
    }


def on_fargate(spec: JobSpec, settings: Settings) -> dict[str, Any]:
    """Properties of containers on Fargate: processor, disk, and the address without which a public subnet leads nowhere
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html). ``/tmp`` is the
    container's own, whose disk nobody shares; of volumes, Batch mounts those of a file system only
    (https://docs.aws.amazon.com/batch/latest/APIReference/API_Volume.html).
    """
    made = aws_batch.CfnJobDefinition
    address = "ENABLED" if settings.network.egress == "public_ip" else "DISABLED"
    return {
        "network_configuration": made.NetworkConfigurationProperty(assign_public_ip=address),
        "runtime_platform": made.RuntimePlatformProperty(
            cpu_architecture=settings.architecture.upper(), operating_system_family="LINUX"
        ),
        "ephemeral_storage": made.EphemeralStorageProperty(size_in_gib=spec.disk_gib)
        if spec.disk_gib
        else None,
    }


def linux(spec: JobSpec) -> aws_batch.CfnJobDefinition.LinuxParametersProperty:
    """An init process, which hands signals on and reaps children, and the size of ``/dev/shm``."""
    return aws_batch.CfnJobDefinition.LinuxParametersProperty(
        init_process_enabled=True, shared_memory_size=spec.shared_memory_mib or None
    )


def retries() -> aws_batch.CfnJobDefinition.RetryStrategyProperty:
    """Another attempt where the instance was taken away, and only there.

    Retries of a task that failed are the state machine's; made here as well, the two would multiply
    (https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html).
    """
    evaluate = aws_batch.CfnJobDefinition.EvaluateOnExitProperty
    return aws_batch.CfnJobDefinition.RetryStrategyProperty(
        attempts=ATTEMPTS,
        evaluate_on_exit=[
            evaluate(action="RETRY", on_status_reason="Host EC2*"),
            evaluate(action="RETRY", on_exit_code=RECLAIMED_STATUS),
            evaluate(action="EXIT", on_reason="*"),
        ],
    )


def execution_needs(log: str, arns: Arns) -> tuple[Need, ...]:
    """What starting a container needs: its image, which CDK keeps in the repository of the bootstrap, and its log."""
    by = "containers"
    repository = f"arn:{arns.partition}:ecr:{arns.region}:{arns.account}:repository/cdk-*-container-assets-*"
    image_actions = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
    log_actions = ("logs:CreateLogStream", "logs:PutLogEvents")
    return (
        Need(action="ecr:GetAuthorizationToken", resource=ANY, by=by),  # it knows no resources
        *(Need(action=action, resource=repository, by=by) for action in image_actions),
        *(Need(action=action, resource=arns.log_group(log), by=by) for action in log_actions),
    )
