"""`Approvals`: questions go out with a link, and decisions come in, from the link or from people with IAM."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from functions.approvals.link_table import LinkTable, Target
from functions.approvals.links import new_link, signed
from stepweave.errors import UsageError
from stepweave.runtime.approvals import (
    ApprovalEvent,
    Decision,
    answer,
    decide,
    pending,
    prefix_of,
    request,
    settle,
)
from stepweave.runtime.events import Record
from stepweave.runtime.rendezvous import TaskTokens
from stepweave.stores.layout import task_prefix
from stepweave.stores.objects import ObjectStore
from stepweave.stores.run_table import RunTable

_LIFETIME_SECONDS = 7 * 86_400
"""How long a link is good for where the question has no timeout."""
_MAX_SUBJECT = 100
_MAX_MESSAGE = 100_000
"""Characters of a question that are published; a notification has at most 256 KiB
(https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Where questions are sent."""

    topic: str
    url: str
    """Of the HTTP API; links begin with it. Empty: none are sent."""
    secret: Callable[[], str]
    """With which links are signed."""
    sns: Any
    """A boto3 client."""


class Approvals:
    """Questions and decisions of an environment."""

    def __init__(
        self,
        env: str,
        *,
        store: ObjectStore,
        tokens: TaskTokens,
        runs: RunTable,
        links: LinkTable,
        asking: Asking | None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Without ``asking`` nobody is sent a question; it is found by ``stepweave show``."""
        self._env = env
        self._store = store
        self._tokens = tokens
        self._runs = runs
        self._links = links
        self._asking = asking
        self._now = now

    def ask(self, event: Mapping[str, Any]) -> bool:
        """Whether the question was answered at once, because there is a decision; else people are asked."""
        asked = cast(ApprovalEvent, event)
        if request(asked, self._store, self._tokens, self._now):
            return True
        if self._asking is not None:
            self._publish(self._asking, asked)
        return False

    def time_over(self, event: Mapping[str, Any]) -> Record:
        """The record of a question that nobody answered in time, or that somebody did at the last moment."""
        return settle(cast(ApprovalEvent, event), self._store, self._now)

    def decide(self, event: Mapping[str, Any]) -> Decision:
        """The decision that somebody sends who may call this function."""
        said, run = event["answer"], event["run"]
        target = (run["dag"], run["id"], event["task"], run.get("index", ""))
        return self._decided(target, said["approved"], said["by"], said.get("comment", ""))

    def asked(self, target: Target) -> dict[str, Any] | None:
        """What is asked, if it is still the question that the link is for, and not decided."""
        found = pending(self._store, task_prefix(target.dag, target.run, target.task, target.index))
        if found is None:
            return None
        same = (found["digest"], found["execution"]) == (target.digest, target.execution)
        return found if same else None

    def hindrance(self, dag: str, run_id: str, approved: bool, by: str) -> str:
        """Why ``by`` may not decide this so; empty when nothing is known that stands against it."""
        run = self._runs.get(dag, run_id)
        if approved and run is not None and run.facts.by == by:
            return f"{by!r} started run {run_id!r}; somebody else has to approve it"
        return ""

    def decide_by_link(self, target: Target, approved: bool, by: str, comment: str) -> Decision:
        """The decision of somebody with a link."""
        return self._decided((target.dag, target.run, target.task, target.index), approved, by, comment)

    def _decided(self, target: tuple[str, str, str, str], approved: bool, by: str, comment: str) -> Decision:
        dag, run_id, task, index = target
        why = self.hindrance(dag, run_id, approved, by)
        if why:
            raise UsageError(why)
        prefix = task_prefix(dag, run_id, task, index)
        decision = decide(self._store, prefix, approved, by, comment, self._now)
        answer(self._store, prefix, self._tokens)
        return decision

    def _publish(self, asking: Asking, event: ApprovalEvent) -> None:
        found = pending(self._store, prefix_of(event))
        if found is None:
            return
        run = found["run"]
        expires = round(self._now() + (found["timeout"] or _LIFETIME_SECONDS))
        link = self._new_link(asking, found, expires)
        told = {
            "stepweave": "approval",
            "env": self._env,
            "dag": run["dag"],
            "run_id": run["id"],
            "task": found["task"],
            "index": run.get("index", ""),
            "level": found["level"],
            "message": found["message"][:_MAX_MESSAGE],
            "approvers": found["approvers"],
            "expires": datetime.fromtimestamp(expires, UTC).isoformat(),
            "link": link,
        }
        subject = f"[{self._env}] {run['dag']} waits for an approval: {found['task']}"
        asking.sns.publish(
            TopicArn=asking.topic,
            Subject=subject.encode("ascii", "replace").decode()[:_MAX_SUBJECT],
            Message=json.dumps(
                {"default": json.dumps(told, ensure_ascii=False), "email": _mail(told)}, ensure_ascii=False
            ),
            MessageStructure="json",
        )

    def _new_link(self, asking: Asking, found: Mapping[str, Any], expires: int) -> str | None:
        if not asking.url:
            return None
        link, run = new_link(expires), found["run"]
        target = Target(
            dag=run["dag"],
            run=run["id"],
            task=found["task"],
            index=run.get("index", ""),
            execution=found["execution"],
            digest=found["digest"],
        )
        self._links.add(link, target)
        return f"{asking.url.rstrip('/')}/approvals/{signed(link, asking.secret())}"


def _mail(told: Mapping[str, Any]) -> str:
    names = ", ".join(told["approvers"]) or "anybody"
    decide_here = f"Look at it and decide: {told['link']}\n\n" if told["link"] else ""
    where = f"--env {told['env']}"
    return (
        f"Run {told['run_id']} of DAG {told['dag']} in {told['env']} waits for {names}.\n\n{told['message']}\n\n"
        f"{decide_here}Or: stepweave approve {told['run_id']} {told['task']} {where}\n"
        f"Until: {told['expires']}\n"
    )
