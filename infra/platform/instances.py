"""`Instances`: what every EC2 instance of Batch has: its role, IMDSv2, an encrypted disk, a warning before it goes."""

from __future__ import annotations

from aws_cdk import Fn, aws_batch, aws_ec2, aws_iam
from constructs import Construct

from infra.settings import Settings

USER_DATA = """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="==stepweave=="

--==stepweave==
Content-Type: text/x-shellscript; charset="us-ascii"

#!/bin/bash
echo ECS_ENABLE_SPOT_INSTANCE_DRAINING=true >> /etc/ecs/ecs.config
echo ECS_DISABLE_PRIVILEGED=true >> /etc/ecs/ecs.config
--==stepweave==--
"""
"""Containers get SIGTERM two minutes before a spot instance goes, and none is privileged. Batch wants MIME:
https://docs.aws.amazon.com/batch/latest/userguide/launch-templates.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-config.html"""


class Instances(Construct):
    """The role of the instances, and a launch template for each size of disk."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        self._env = settings.env
        self.role = aws_iam.Role(
            self,
            "Role",
            description="Instances of Batch; tasks have roles of their own",
            assumed_by=aws_iam.ServicePrincipal("ec2.amazonaws.com"),
            managed_policies=[
                aws_iam.ManagedPolicy.from_aws_managed_policy_name(
                    "service-role/AmazonEC2ContainerServiceforEC2Role"
                )
            ],
        )
        profile = aws_iam.CfnInstanceProfile(self, "Profile", roles=[self.role.role_name])
        self.profile_arn = profile.attr_arn
        self._templates: dict[int, aws_ec2.CfnLaunchTemplate] = {}

    def template(self, disk_gib: int) -> aws_batch.CfnComputeEnvironment.LaunchTemplateSpecificationProperty:
        """The launch template with a disk of that size, in its latest version."""
        found = self._templates.get(disk_gib) or self._templates.setdefault(disk_gib, self._made(disk_gib))
        return aws_batch.CfnComputeEnvironment.LaunchTemplateSpecificationProperty(
            launch_template_id=found.ref, version=found.attr_latest_version_number
        )

    def _made(self, disk_gib: int) -> aws_ec2.CfnLaunchTemplate:
        template = aws_ec2.CfnLaunchTemplate
        return template(
            self,
            f"Disk{disk_gib}",
            launch_template_data=template.LaunchTemplateDataProperty(
                metadata_options=template.MetadataOptionsProperty(
                    http_tokens="required",  # IMDSv2: a request that a task was talked into gets no credentials
                    http_put_response_hop_limit=1,
                ),
                block_device_mappings=[
                    template.BlockDeviceMappingProperty(
                        device_name="/dev/xvda",
                        ebs=template.EbsProperty(
                            volume_size=disk_gib,
                            volume_type="gp3",
                            encrypted=True,
                            delete_on_termination=True,
                        ),
                    )
                ],
                user_data=Fn.base64(USER_DATA),
            ),
        )
