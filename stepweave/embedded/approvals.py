"""`approvals_function`: approvals of runs on this machine; `approve`: what a person's decision does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepweave.embedded.control import tell
from stepweave.engine.integrations.lambda_invoke import Function
from stepweave.runtime.approvals import Decision, answer, decide, request, settle
from stepweave.runtime.rendezvous import TaskTokens
from stepweave.stores.layout import task_prefix
from stepweave.stores.objects import ObjectStore, open_store


def approvals_function(store: ObjectStore, tokens: TaskTokens) -> Function:
    """The function behind ``${Approvals}``, which completes the task tokens of an engine."""

    async def ask(event: Any) -> Any:
        if "token" in event:
            return {"answered": request(event, store, tokens)}
        return settle(event, store)

    return ask


def decided(store: ObjectStore, tokens: TaskTokens) -> Callable[[dict[str, Any]], None]:
    """What a run does that is told of a decision: whoever waits for it goes on."""

    def go_on(told: dict[str, Any]) -> None:
        answer(store, task_prefix(told["dag"], told["run"], told["task"], told["index"]), tokens)

    return go_on


def approve(
    address: str,
    root: str,
    *,
    dag: str,
    run: str,
    task: str,
    index: str,
    approved: bool,
    by: str,
    comment: str = "",
) -> tuple[Decision, bool]:
    """The decision, which is in the store ``address`` now, and whether a live run was told.

    ``root``: the run in whose process the run is, which is another one for a nested DAG.
    Raises ``UsageError`` when nothing is asked, it was decided before, or ``by`` may not decide it.
    """
    store = open_store(address)
    decision = decide(store, task_prefix(dag, run, task, index), approved, by, comment)
    told = {"do": "decided", "dag": dag, "run": run, "task": task, "index": index}
    return decision, tell(address, root, told)
