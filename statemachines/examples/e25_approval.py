"""Approvals: a person decides, and nothing runs meanwhile.

The run waits, for days if need be, at no cost. Who is asked has a time to answer; then the next ones are asked
(``escalate``), and when all time is over ``on_timeout`` says what it means: ``fail``, ``skip``, ``reject`` or
``approve``. Who decided, when, and why is the value of the task. With ``on_reject="continue"`` a rejection is an
answer like another, and a condition may read it.

Run it: ``stepweave run statemachines/examples/e25_approval.py``; it asks in the terminal, and in another one
``stepweave approve RUN sign_off --by ml-leads`` answers. The times are short so that the example is.
"""

from __future__ import annotations

from typing import TypedDict

from stepweave import Else, If, approval, dag, task


class Change(TypedDict):
    """What somebody has to decide about."""

    model: str
    gain: float


@task
def propose(gain: float) -> Change:
    """Returns the change."""
    return {"model": "churn-12", "gain": gain}


@task
def deploy(change: Change, approved_by: str) -> str:
    """Returns what was done."""
    return f"{change['model']} is live; {approved_by} said so"


@task
def keep(comment: str) -> str:
    """Returns why nothing was done."""
    return f"kept the old model: {comment or 'nobody said anything'}"


@dag
def sign_off(gain: float = 0.02) -> None:
    """Deploys a model if somebody agrees."""
    change = propose(gain)
    decision = approval(
        "Deploy " + change["model"] + "?",
        approvers=["ml-leads"],
        timeout="5s",
        escalate=[(["head-of-data"], "2s")],
        on_timeout="reject",
        on_reject="continue",
        task_id="sign_off",
    )
    with If(decision["approved"]):
        deploy(change, decision["by"])
    with Else():
        keep(decision["comment"])
