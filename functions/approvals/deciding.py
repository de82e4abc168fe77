"""`Decisions`: what people say to a question, from a link or with IAM, is on record once, and the run goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from functions.approvals.link_table import Target
from stepweave.errors import UsageError
from stepweave.runtime.approvals import Decision, answer, decide, pending
from stepweave.runtime.rendezvous import TaskTokens
from stepweave.stores.layout import task_prefix
from stepweave.stores.objects import ObjectStore
from stepweave.stores.run_table import RunTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What somebody says."""

    approved: bool
    by: str
    comment: str = ""


class Decisions:
    """The decisions of an environment."""

    def __init__(self, store: ObjectStore, tokens: TaskTokens, runs: RunTable) -> None:
        self._store = store
        self._tokens = tokens
        self._runs = runs

    def asked(self, target: Target) -> dict[str, Any] | None:
        """What is asked, if it is still the question that the link is for, and not decided."""
        found = pending(self._store, task_prefix(target.dag, target.run, target.task, target.index))
        return found if found is not None and Target.of(found) == target else None

    def hindrance(self, dag: str, run_id: str, said: Answer) -> str:
        """Why it may not be decided so by whom it is; empty when nothing is known that stands against it."""
        run = self._runs.get(dag, run_id)
        if said.approved and run is not None and run.facts.by == said.by:
            return f"{said.by!r} started run {run_id!r}; somebody else has to approve it"
        return ""

    def decide(self, dag: str, run_id: str, task: str, index: str, said: Answer) -> Decision:
        """The decision, now on record. Raises ``UsageError`` when it cannot be made."""
        why = self.hindrance(dag, run_id, said)
        if why:
            raise UsageError(why)
        prefix = task_prefix(dag, run_id, task, index)
        decision = decide(self._store, prefix, said.approved, said.by, said.comment)
        answer(self._store, prefix, self._tokens)
        return decision
