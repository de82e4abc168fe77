"""`ArtifactBucket`: where runs keep what they make (``stepweave/stores/layout.py`` has the keys)."""

from __future__ import annotations

from typing import cast

from aws_cdk import Duration, aws_s3
from constructs import Construct

from infra.removal import removal_policy
from infra.settings import Settings

UPLOAD_DAYS = 7
"""Time after which the parts of an upload that was never completed are removed."""


class ArtifactBucket(Construct):
    """The bucket: TLS only, no public access, versioned, with a lifecycle for each prefix.

    Its keys are those of S3 (SSE-S3): a customer key costs $1 a month and a call for each object, and protects from
    nobody whom the roles do not keep out already. Access is not logged into a second bucket: only roles of this
    environment reach it, each within its prefixes, and versions show what was changed.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings, name: str) -> None:
        super().__init__(scope, id)
        self.bucket = aws_s3.Bucket(
            self,
            "Bucket",
            bucket_name=name,
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            encryption=aws_s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=aws_s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=_lifecycle(settings),
            removal_policy=removal_policy(settings),
        )
        # As a property: the construct's own switch would deploy a Lambda function to set it.
        resource = cast(aws_s3.CfnBucket, self.bucket.node.default_child)
        resource.notification_configuration = aws_s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=aws_s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        )


def _lifecycle(settings: Settings) -> list[aws_s3.LifecycleRule]:
    """What is removed when; published assets, breakers and status marks stay."""
    kept = settings.retention
    ends = {"checkpoints": kept.checkpoints_days, "cache": kept.cache_days}
    if kept.artifacts_days is not None:
        ends["runs"] = kept.artifacts_days
    rules = [
        aws_s3.LifecycleRule(id=name, prefix=f"{name}/", expiration=Duration.days(days))
        for name, days in sorted(ends.items())
    ]
    return [
        *rules,
        aws_s3.LifecycleRule(
            id="replaced",
            noncurrent_version_expiration=Duration.days(kept.noncurrent_days),
            expired_object_delete_marker=True,
            abort_incomplete_multipart_upload_after=Duration.days(UPLOAD_DAYS),
        ),
    ]
