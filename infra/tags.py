"""Tags of everything that an environment has, by which Cost Explorer tells environments and DAGs apart."""

from __future__ import annotations

import re

from aws_cdk import Tags
from constructs import IConstruct

from infra.settings import Settings
from stepweave.deployed import names

REPLACED = ("AWS::Batch::ComputeEnvironment",)
"""Types that CloudFormation replaces when a tag changes; their instances are tagged apart."""

LONGEST_VALUE = 256
_NOT_IN_TAGS = re.compile(r"[^\w\s.:/=+@-]")
"""https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"""


def tag_value(text: str) -> str:
    """``text`` as the value of a tag: characters that tags cannot hold are underscores.

    >>> tag_value("Data & ML (Köln)")
    'Data _ ML _Köln_'
    """
    return _NOT_IN_TAGS.sub("_", text)[:LONGEST_VALUE]


def tags_of(settings: Settings) -> dict[str, str]:
    """The tags by name."""
    return {f"{names.PRODUCT}:env": settings.env, **settings.tags}


def tag(scope: IConstruct, settings: Settings) -> None:
    """Tag everything below ``scope``."""
    for key, value in tags_of(settings).items():
        Tags.of(scope).add(key, value, exclude_resource_types=list(REPLACED))
