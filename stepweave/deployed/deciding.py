"""`approve`: tells the approvals function of an environment what a person has decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepweave.deployed.deployment import Deployment
from stepweave.deployed.functions import invoke
from stepweave.errors import UsageError


def approve(
    deployment: Deployment,
    *,
    dag: str,
    run: str,
    task: str,
    index: str,
    approved: bool,
    by: str,
    comment: str = "",
) -> Mapping[str, Any]:
    """The decision, now on record: ``{"approved", "by", "at", "comment"}``.

    Raises ``UsageError`` when nothing is asked, it was decided before, or ``by`` may not decide it.
    """
    if not deployment.platform.approvals_function:
        raise UsageError(
            f"environment {deployment.env!r} has no approvals function; deploy its platform again: "
            f"cdk deploy -c env={deployment.env} '{deployment.env}/platform'"
        )
    event = {
        "run": {"dag": dag, "id": run, **({"index": index} if index else {})},
        "task": task,
        "answer": {"approved": approved, "by": by, "comment": comment},
    }
    return invoke(deployment.aws, deployment.platform.approvals_function, event, f"deciding {task} of {run}")
