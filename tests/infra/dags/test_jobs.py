"""Job definitions of a DAG."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.dags.job_specs import JobSpec
from infra.dags.jobs import on_fargate
from infra.settings import parse
from tests.infra.dags.stacks import Stacks, text


def jobs(stacks: Stacks, dag: str) -> list[Any]:
    return sorted(
        stacks[dag].of_type("Batch::JobDefinition").values(),
        key=lambda one: json.dumps(one["ContainerProperties"]["ResourceRequirements"]),
    )


def test_tasks_that_need_the_same_share_a_job_definition(watched: Stacks) -> None:
    substitutions = watched["heavy"].only("StepFunctions::StateMachine")["DefinitionSubstitutions"]
    assert substitutions["JobDefinition_train"] == substitutions["JobDefinition_train_too"]
    assert substitutions["JobDefinition_train"] != substitutions["JobDefinition_crunch"]
    assert len(jobs(watched, "heavy")) == 2


def test_a_job_with_a_gpu_has_it_and_shared_memory(watched: Stacks) -> None:
    gpu = next(one for one in jobs(watched, "heavy") if "GPU" in json.dumps(one))
    container = gpu["ContainerProperties"]
    asked = {one["Type"]: one["Value"] for one in container["ResourceRequirements"]}
    assert asked == {"VCPU": "4", "MEMORY": "16384", "GPU": "1"}
    assert container["LinuxParameters"] == {"InitProcessEnabled": True, "SharedMemorySize": 4096}
    assert gpu["Timeout"] == {"AttemptDurationSeconds": 7200}


def test_a_container_has_no_more_rights_than_it_needs(watched: Stacks) -> None:
    for job in [*jobs(watched, "heavy"), *jobs(watched, "churn")]:
        container = job["ContainerProperties"]
        assert container["User"] == "10001"
        assert container["Privileged"] is False
        assert container["ReadonlyRootFilesystem"] is True
        assert [mount["ContainerPath"] for mount in container["MountPoints"]] == ["/tmp"]
        assert container["Command"] == ["python", "-m", "functions.batch_worker.worker"]
        assert container["LogConfiguration"]["LogDriver"] == "awslogs"


def test_a_job_knows_its_region_which_ecs_tells_no_container_of_an_instance(watched: Stacks) -> None:
    for job in [*jobs(watched, "heavy"), *jobs(watched, "churn"), *jobs(watched, "aside")]:
        variables = {one["Name"]: one["Value"] for one in job["ContainerProperties"]["Environment"]}
        assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "eu-west-1"


def test_a_job_on_fargate_has_a_size_of_fargate_and_nothing_of_an_instance(watched: Stacks) -> None:
    small, large = jobs(watched, "aside")
    assert small["PlatformCapabilities"] == large["PlatformCapabilities"] == ["FARGATE"]
    container = large["ContainerProperties"]
    asked = {one["Type"]: one["Value"] for one in container["ResourceRequirements"]}
    assert asked == {"VCPU": "4", "MEMORY": "8192"}
    assert container["EphemeralStorage"] == {"SizeInGiB": 50}
    assert container["RuntimePlatform"] == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}
    assert container["NetworkConfiguration"] == {"AssignPublicIp": "ENABLED"}
    assert container["LinuxParameters"] == {"InitProcessEnabled": True}
    assert container["User"] == "10001"
    assert container["ExecutionRoleArn"] != container["JobRoleArn"]
    assert not {"Privileged", "ReadonlyRootFilesystem", "Volumes", "MountPoints"} & container.keys()
    assert "EphemeralStorage" not in small["ContainerProperties"]
    asked = {one["Type"]: one["Value"] for one in small["ContainerProperties"]["ResourceRequirements"]}
    assert asked == {"VCPU": "0.25", "MEMORY": "512"}


def test_a_job_on_an_instance_has_nothing_of_fargate(watched: Stacks) -> None:
    for job in jobs(watched, "heavy"):
        assert job["PlatformCapabilities"] == ["EC2"]
        assert (
            not {"NetworkConfiguration", "RuntimePlatform", "EphemeralStorage"}
            & job["ContainerProperties"].keys()
        )


@pytest.mark.parametrize(
    "egress, address", [("public_ip", "ENABLED"), ("nat", "DISABLED"), ("endpoints", "DISABLED")]
)
def test_a_job_on_fargate_has_an_address_where_it_reaches_aws_by_one(egress: str, address: str) -> None:
    settings = parse("dev", {"network": {"egress": egress}, "architecture": "x86_64"}, "dev.toml")
    spec = JobSpec(cpu=1, memory_mib=2_048, timeout_seconds=60, fargate=True)
    made = on_fargate(spec, settings)
    assert made["network_configuration"].assign_public_ip == address
    assert made["runtime_platform"].cpu_architecture == "X86_64"


def test_batch_tries_again_where_the_instance_was_taken_away_and_nowhere_else(watched: Stacks) -> None:
    for job in [*jobs(watched, "heavy"), *jobs(watched, "churn")]:
        assert job["RetryStrategy"]["EvaluateOnExit"] == [
            {"Action": "RETRY", "OnStatusReason": "Host EC2*"},
            {"Action": "RETRY", "OnExitCode": "143"},
            {"Action": "EXIT", "OnReason": "*"},
        ]


def test_revisions_stay_active_for_the_runs_that_began_with_them(watched: Stacks) -> None:
    found = watched["heavy"].of_type("Batch::JobDefinition").values()
    assert {one["JobDefinitionName"] for one in found} == {
        "stepweave-prod-heavy--job-crunch",
        "stepweave-prod-heavy--job-train",
    }
    assert all(one["ResourceRetentionPolicy"] == {"SkipDeregisterOnUpdate": True} for one in found)


def test_a_job_definition_goes_with_its_task_since_its_name_would_be_taken_when_that_comes_back(
    watched: Stacks,
) -> None:
    found = [one for one in watched["heavy"].resources.values() if one["Type"] == "AWS::Batch::JobDefinition"]
    assert {one.get("DeletionPolicy", "Delete") for one in found} == {"Delete"}


def test_in_the_local_aws_a_job_is_code_instead_of_an_image(local: Stacks) -> None:
    (job,) = jobs(local, "churn")
    variables = {one["Name"]: one["Value"] for one in job["ContainerProperties"]["Environment"]}
    assert text(variables["STEPWEAVE_BUNDLE"]).startswith("s3://cdk-hnb659fds-assets-")
    assert variables["STEPWEAVE_STORE"] == "s3://stepweave-local-000000000000-us-east-1"
    assets = json.loads(next((local.folder / "cdk.out").glob("*/*churn*.assets.json")).read_text())
    assert assets["dockerImages"] == {}


def test_a_dag_without_jobs_has_nothing_of_batch(watched: Stacks) -> None:
    stack = watched["city_features"]
    assert stack.of_type("Batch::JobDefinition") == {}
    assert "JobLog" not in stack.resources
