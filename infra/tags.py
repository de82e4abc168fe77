"""Tags of everything that an environment has, by which Cost Explorer tells environments and DAGs apart."""

from __future__ import annotations

from aws_cdk import Tags
from constructs import IConstruct

from infra.settings import Settings
from stepweave.deployed import names

REPLACED = ("AWS::Batch::ComputeEnvironment",)
"""Types that CloudFormation replaces when a tag changes; their instances are tagged apart."""


def tags_of(settings: Settings) -> dict[str, str]:
    """The tags by name."""
    return {f"{names.PRODUCT}:env": settings.env, **settings.tags}


def tag(scope: IConstruct, settings: Settings) -> None:
    """Tag everything below ``scope``."""
    for key, value in tags_of(settings).items():
        Tags.of(scope).add(key, value, exclude_resource_types=list(REPLACED))
