"""Approvals: a person decides, another is asked when nobody does, and what silence or a rejection means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepweave.graph.constructs import Approval
from stepweave.graph.model import Expression, FromParam, FromTask, ListOf, Literal
from tests.asl.scripted import dag, run_scripted, task

QUESTION = Literal(json='"Deploy?"')


def decided(approved: bool, by: str = "ada") -> dict[str, Any]:
    return {
        "status": "success",
        "value": json.dumps({"approved": approved, "by": by}),
        "fields": {"approved": approved},
    }


def asking(**options: Any) -> Approval:
    return Approval(message=QUESTION, approvers=("leads",), timeout_seconds=3_600, **options)


def test_an_approval_waits_for_a_person_and_hands_on_the_decision() -> None:
    ran = run_scripted(
        dag(task("ok", approval=asking()), task("b", "ok")), people=lambda event: (600, decided(True))
    )
    assert (ran.outcome, ran.seconds) == (("SUCCEEDED", None), pytest.approx(600))
    assert ran.events[0]["records"]["ok"] == decided(True)
    (request,) = ran.approvals
    assert json.loads(request["args"]) == {"message": {"v": "Deploy?"}}
    assert (request["approvers"], request["level"], request["timeout"]) == (["leads"], 0, 3_600)


def test_an_approval_costs_two_transitions_and_one_where_a_rejection_is_no_matter() -> None:
    for on_reject, price in (("fail", 2), ("continue", 1)):
        graph = dag(task("ok", approval=asking(on_reject=on_reject)), task("b", "ok"))
        assert run_scripted(graph, people=lambda event: decided(True)).transitions == 2 + price


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(
    "on_reject, optional, status",
    [
        ("fail", False, "failed"),
        ("skip", False, "skipped"),
        ("fail", True, "skipped"),
        ("continue", False, "success"),
    ],
)
def test_a_rejection_means_what_the_dag_says(on_reject: Any, optional: bool, status: str, last: bool) -> None:
    seen = task("seen", "ok", trigger_rule="none_skipped" if status == "failed" else "all_done")
    asked = task("ok", approval=asking(on_reject=on_reject), optional=optional)
    ran = run_scripted(dag(asked) if last else dag(asked, seen), people=lambda event: decided(False))
    failed = status == "failed" and last
    assert ran.outcome == (("FAILED", "failed: ok") if failed else ("SUCCEEDED", None))
    assert [event["task"] for event in ran.events] == ([] if last else ["seen"])
    if not last and status == "failed":
        assert ran.events[0]["upstream"] == {"ok": "failed"}


def test_silence_escalates_and_the_last_ones_asked_may_decide() -> None:
    approval = asking(escalations=((("boss",), 1_800), (("board", "owner"), 60)))
    ran = run_scripted(
        dag(task("ok", approval=approval)),
        people=lambda event: decided(True) if event["level"] == 2 else None,
    )
    assert ran.states == [
        "start run",
        "ok",
        "ok: escalation 1",
        "ok: escalation 2",
        "ok: approved?",
        "ok: approved",
    ]
    assert [event["approvers"] for event in ran.approvals] == [["leads"], ["boss"], ["board", "owner"]]
    assert ran.seconds == pytest.approx(3_600 + 1_800)


@pytest.mark.parametrize(
    "on_timeout, outcome",
    [("fail", "FAILED"), ("skip", "SUCCEEDED"), ("reject", "FAILED"), ("approve", "SUCCEEDED")],
)
def test_what_silence_means(on_timeout: Any, outcome: str) -> None:
    def people(event: dict[str, Any]) -> Any:
        return decided(event["decide"] == "approve") if "decide" in event else None

    ran = run_scripted(dag(task("ok", approval=asking(on_timeout=on_timeout))), people=people)
    assert (ran.execution.status, ran.seconds) == (outcome, pytest.approx(3_600))
    assert ("decide" in ran.approvals[-1]) == (on_timeout in ("reject", "approve"))


def test_a_message_may_be_made_of_references_and_expressions() -> None:
    message = ListOf(
        items=(
            FromTask(task="a", path=("name",)),
            Expression(
                text="'AUC ' & $_0_ & $_1_",
                operands=(FromTask(task="a", path=("auc",)), FromParam(param="p")),
            ),
        )
    )
    graph = dag(
        task("a", fields=(("auc",),)), task("ok", "a", arguments=(), approval=Approval(message=message))
    )
    record = {"status": "success", "value": '{"auc":1}', "fields": {"auc": 1}}
    ran = run_scripted(graph, {"a": record}, people=lambda event: decided(True), given={"params": {"p": "!"}})
    (request,) = ran.approvals
    assert json.loads(request["args"]) == {"message": {"l": [{"t": "a", "p": ["name"]}, {"x": 0}]}}
    assert (request["values"], request["records"]) == (["AUC 1!"], {"a": record})


def test_without_catchers_a_rejection_ends_the_run() -> None:
    graph = dag(task("ok", approval=asking()), fail_fast=True)
    ran = run_scripted(graph, people=lambda event: decided(False))
    assert (ran.execution.status, ran.execution.error) == ("FAILED", "Rejected")
