from __future__ import annotations

import email
from pathlib import Path
from typing import Any

import pytest

from infra.app import add_environment, new_app
from infra.settings import parse
from stepweave.deployed import names
from tests.infra.conftest import Synthesized
from tests.infra.dags.empty_code import EmptyCode


def environments(app: Synthesized) -> list[dict[str, Any]]:
    return [one["ComputeResources"] for one in app.platform.of_type("Batch::ComputeEnvironment").values()]


def of_queue(app: Synthesized, kind: str) -> list[dict[str, Any]]:
    """Compute of a queue, what is tried first at first."""
    platform = app.platform
    queue = platform.named("Batch::JobQueue", "JobQueueName", names.queue_name(app.settings.env, kind))
    order = sorted(queue["ComputeEnvironmentOrder"], key=lambda one: one["Order"])
    ids = [one["ComputeEnvironment"]["Fn::GetAtt"][0] for one in order]
    return [platform.of_type("Batch::ComputeEnvironment")[id]["ComputeResources"] for id in ids]


def test_there_is_a_queue_of_each_kind_by_the_name_that_everybody_derives(
    whole_app: Synthesized, local_platform: Synthesized
) -> None:
    for app in (whole_app, local_platform):
        found = {one["JobQueueName"] for one in app.platform.of_type("Batch::JobQueue").values()}
        assert found == {names.queue_name(app.settings.env, kind) for kind in names.QUEUES}


def test_every_queue_is_fair_without_listed_shares(whole_app: Synthesized) -> None:
    (policy,) = whole_app.platform.of_type("Batch::SchedulingPolicy").items()
    assert policy[1]["FairsharePolicy"] == {"ShareDecaySeconds": 3600}
    for queue in whole_app.platform.of_type("Batch::JobQueue").values():
        assert queue["SchedulingPolicyArn"] == {"Fn::GetAtt": [policy[0], "Arn"]}


def test_a_job_that_cannot_run_is_cancelled_before_others_wait_for_ever(whole_app: Synthesized) -> None:
    for queue in whole_app.platform.of_type("Batch::JobQueue").values():
        limits = {one["Reason"]: one for one in queue["JobStateTimeLimitActions"]}
        assert {one["Action"] for one in limits.values()} == {"CANCEL"}
        assert {one["State"] for one in limits.values()} == {"RUNNABLE"}
        assert limits["CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"]["MaxTimeSeconds"] == 3600
        assert limits["MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"]["MaxTimeSeconds"] == 600
        assert all(600 <= one["MaxTimeSeconds"] <= 86_400 for one in limits.values())


def test_nothing_runs_while_nothing_is_to_be_done(whole_app: Synthesized) -> None:
    ec2 = [one for one in environments(whole_app) if one["Type"] != "FARGATE"]
    assert len(ec2) == 6
    assert {one["MinvCpus"] for one in ec2} == {0}


@pytest.mark.parametrize(
    "kind,types",
    [
        ("cpu", ["EC2"]),
        ("cpu_spot", ["SPOT", "EC2"]),
        ("gpu", ["EC2"]),
        ("gpu_spot", ["SPOT", "EC2"]),
        ("fargate", ["FARGATE"]),
    ],
)
def test_each_queue_has_the_compute_of_its_kind(whole_app: Synthesized, kind: str, types: list[str]) -> None:
    assert [one["Type"] for one in of_queue(whole_app, kind)] == types


def test_the_spot_share_of_a_queue_is_tried_before_the_rest(
    whole_app: Synthesized, dev_platform: Synthesized
) -> None:
    spot, rest = of_queue(whole_app, "cpu_spot")
    assert (spot["MaxvCpus"], rest["MaxvCpus"]) == (409, 103)  # 80 % of 512
    assert spot["AllocationStrategy"] == "SPOT_PRICE_CAPACITY_OPTIMIZED"
    assert spot["BidPercentage"] == 100
    (only,) = of_queue(dev_platform, "cpu_spot")
    assert only["MaxvCpus"] == 64


def test_the_processor_of_cpu_queues_is_that_of_the_settings(
    whole_app: Synthesized, told_platform: Synthesized
) -> None:
    assert whole_app.settings.architecture == "arm64"
    assert of_queue(whole_app, "cpu")[0]["InstanceTypes"] == ["c7g", "m7g", "r7g"]
    assert of_queue(told_platform, "cpu")[0]["InstanceTypes"] == ["c7g.xlarge"]


def test_gpu_instances_have_the_image_with_the_driver(whole_app: Synthesized) -> None:
    for kind, image in (
        ("gpu", "ECS_AL2023_NVIDIA"),
        ("gpu_spot", "ECS_AL2023_NVIDIA"),
        ("cpu", "ECS_AL2023"),
    ):
        for one in of_queue(whole_app, kind):
            assert one["Ec2Configuration"] == [{"ImageType": image}]
            assert one["UpdateToLatestImageVersion"] is True


def test_instances_take_imdsv2_only_and_encrypt_their_disk(whole_app: Synthesized) -> None:
    data = whole_app.platform.only("EC2::LaunchTemplate")["LaunchTemplateData"]
    assert data["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    (disk,) = data["BlockDeviceMappings"]
    assert disk["Ebs"]["Encrypted"] is True
    assert disk["Ebs"]["VolumeSize"] == 100


def test_each_size_of_disk_has_a_launch_template(told_platform: Synthesized) -> None:
    templates = told_platform.platform.of_type("EC2::LaunchTemplate").values()
    sizes = [one["LaunchTemplateData"]["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] for one in templates]
    assert sorted(sizes) == [100, 200]


def test_instances_warn_their_containers_before_they_go(whole_app: Synthesized) -> None:
    data = whole_app.platform.only("EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    message = email.message_from_string(data)
    (script,) = message.get_payload()  # type: ignore[misc]
    assert "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true" in script.get_payload()  # type: ignore[union-attr]


def test_an_update_of_the_compute_ends_no_job(whole_app: Synthesized) -> None:
    for one in whole_app.platform.of_type("Batch::ComputeEnvironment").values():
        assert one["ReplaceComputeEnvironment"] is False
        if one["ComputeResources"]["Type"] != "FARGATE":
            assert one["UpdatePolicy"]["TerminateJobsOnUpdate"] is False


def test_the_local_aws_has_queues_whose_compute_is_this_machine(local_platform: Synthesized) -> None:
    found = local_platform.platform.of_type("Batch::ComputeEnvironment").values()
    assert [one["Type"] for one in found] == ["UNMANAGED"] * 5
    assert not any(one["Type"].startswith("AWS::EC2::") for one in local_platform.platform.resources.values())


def test_instances_carry_the_tags_by_which_costs_are_told_apart(told_platform: Synthesized) -> None:
    for one in environments(told_platform):
        if one["Type"] != "FARGATE":
            assert one["Tags"]["stepweave:env"] == "told"
            assert one["Tags"]["team"] == "ml"


def test_another_tag_replaces_no_compute(told_platform: Synthesized) -> None:
    # Tags of a compute environment cannot be changed, those of its instances can.
    found = told_platform.platform.of_type("Batch::ComputeEnvironment").values()
    assert not any("Tags" in one for one in found)


def test_types_whose_size_is_not_known_are_told_of_once(tmp_path: Path) -> None:
    app = new_app(outdir=str(tmp_path / "cdk.out"))
    types = {"instance_types": ("x9z.large", "c7g")}
    settings = parse("dev", {"queues": {"cpu": types, "cpu_spot": types}}, "dev.toml")
    add_environment(app, settings, [], code=EmptyCode(tmp_path))
    # From the assembly: what is printed comes from a thread of jsii, at some time.
    (told,) = [str(one.entry.data) for stack in app.synth().stacks for one in stack.messages]
    assert told.startswith("nothing is known of the size of 'x9z.large'")
