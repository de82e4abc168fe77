"""`Asking`: a question goes out to people, with a link by which it is decided."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.approvals.link_table import Target
from functions.approvals.signed_links import SignedLinks

_LIFETIME_SECONDS = 7 * 86_400
"""How long a link is good for where the question has no timeout."""
_MAX_SUBJECT = 100
_MAX_MESSAGE = 100_000
"""Characters of a question that are published; a notification has at most 256 KiB
(https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Where the questions of an environment are sent."""

    env: str
    topic: str
    sns: Any
    """A boto3 client."""
    links: SignedLinks

    def publish(self, asked: Mapping[str, Any], now: float) -> None:
        """Tell people what is asked; ``now``: seconds since the epoch."""
        expires = round(now + (asked["timeout"] or _LIFETIME_SECONDS))
        link = self.links.make(Target.of(asked), expires) if self.links.url else None
        told = _told(self.env, asked, expires, link)
        subject = f"[{self.env}] {told['dag']} waits for an approval: {told['task']}"
        self.sns.publish(
            TopicArn=self.topic,
            Subject=subject.encode("ascii", "replace").decode()[:_MAX_SUBJECT],
            Message=json.dumps(
                {"default": json.dumps(told, ensure_ascii=False), "email": _mail(told)}, ensure_ascii=False
            ),
            MessageStructure="json",
        )


def _told(env: str, asked: Mapping[str, Any], expires: int, link: str | None) -> dict[str, Any]:
    """The question for programs."""
    run = asked["run"]
    return {
        "stepweave": "approval",
        "env": env,
        "dag": run["dag"],
        "run_id": run["id"],
        "task": asked["task"],
        "index": run.get("index", ""),
        "level": asked["level"],
        "message": asked["message"][:_MAX_MESSAGE],
        "approvers": asked["approvers"],
        "expires": datetime.fromtimestamp(expires, UTC).isoformat(),
        "link": link,
    }


def _mail(told: Mapping[str, Any]) -> str:
    """The question for people."""
    names = ", ".join(told["approvers"]) or "anybody"
    decide_here = f"Look at it and decide: {told['link']}\n\n" if told["link"] else ""
    where = f"--env {told['env']}"
    return (
        f"Run {told['run_id']} of DAG {told['dag']} in {told['env']} waits for {names}.\n\n{told['message']}\n\n"
        f"{decide_here}Or: stepweave approve {told['run_id']} {told['task']} {where}\n"
        f"Until: {told['expires']}\n"
    )
