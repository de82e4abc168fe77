"""What becomes of what holds data when its stack is deleted."""

from __future__ import annotations

from aws_cdk import RemovalPolicy

from infra.settings import Settings


def removal_policy(settings: Settings) -> RemovalPolicy:
    """CDK's word for the setting."""
    return RemovalPolicy.RETAIN if settings.removal_policy == "retain" else RemovalPolicy.DESTROY
