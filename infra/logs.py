"""Log groups."""

from __future__ import annotations

from aws_cdk import aws_logs
from constructs import Construct

from infra.removal import removal_policy
from infra.settings import Settings


def log_group(scope: Construct, id: str, *, name: str, settings: Settings) -> aws_logs.CfnLogGroup:
    """A log group that keeps what the settings say; encrypted by CloudWatch, which costs nothing."""
    group = aws_logs.CfnLogGroup(
        scope, id, log_group_name=name, retention_in_days=settings.retention.logs_days
    )
    group.apply_removal_policy(removal_policy(settings))
    return group
