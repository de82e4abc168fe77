"""What user code calls on AWS by itself: ``@dag(permissions=[Permission("s3:GetObject", "arn:aws:s3:::raw/2024/*")])``.

The role of a DAG's tasks lets them read and write their artifacts, nothing else. What a task does besides with boto3,
or with pandas and an ``s3://`` address, is declared, and ends up in that role as it is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_ACTION = r"[a-z0-9-]+:[A-Za-z0-9]+"
_ARN = r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9*-]*:[0-9*]*:.+"


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions on resources that the tasks of a DAG may call.

    Some actions know no resources (``cloudwatch:PutMetricData``, ``ec2:DescribeInstances``): for these alone the
    resource is ``"*"``, with a reason that whoever reviews the deployment will read.
    """

    actions: str | Sequence[str]
    """``service:Action``, one or more, without wildcards."""
    resources: str | Sequence[str]
    """ARNs; ``*`` may stand for the end of a name: ``arn:aws:s3:::lake/raw/*``."""
    reason: str = ""
    """Why the resource is ``"*"``; empty for all others."""

    def as_text(self) -> str:
        """The permission as the JSON text that ``DagInfo.permissions`` carries.

        Raises ``ValueError`` that says what was expected.
        """
        parts = {
            "actions": sorted(_texts(self.actions, "actions")),
            "resources": sorted(_texts(self.resources, "resources")),
            **({"reason": self.reason} if self.reason else {}),
        }
        for action in parts["actions"]:
            _check_action(action)
        for resource in parts["resources"]:
            _check_resource(resource, self.reason)
        return json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _texts(given: object, what: str) -> set[str]:
    found = (
        {given} if isinstance(given, str) else set(given) if isinstance(given, (list, tuple, set)) else set()
    )
    if not found or not all(isinstance(one, str) for one in found):
        raise ValueError(f"{what} as text or a list of texts, not {given!r}")
    return found


def _check_action(action: str) -> None:
    if "*" in action or "?" in action:
        raise ValueError(
            f"each action by its name, such as 's3:GetObject', without wildcards; not {action!r}"
        )
    if not re.fullmatch(_ACTION, action):
        raise ValueError(f"actions such as 's3:GetObject', not {action!r}")


def _check_resource(resource: str, reason: str) -> None:
    if resource == "*":
        if not reason:
            raise ValueError(
                "resources such as 'arn:aws:s3:::bucket/prefix/*', not '*'; "
                "for an action that knows no resources, say so with reason='...'"
            )
        return
    if not re.fullmatch(_ARN, resource):
        raise ValueError(f"resources as ARNs, such as 'arn:aws:s3:::bucket/prefix/*', not {resource!r}")
    if not resource.split(":", 5)[5].strip("*/?"):
        raise ValueError(
            f"resources by name, such as 'arn:aws:s3:::bucket/prefix/*', not all of them: {resource!r}"
        )
