import contextlib
import json

import pytest

from stepweave.errors import UsageError
from stepweave.runtime.approvals import answer, decide, pending, prefix_of, request, settle
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event
from tests.runtime.failing_store import killed_at_each_write

PREFIX = "runs/sales/r1/ok"


class Tokens:
    """The state machine's side: what each token was answered with."""

    def __init__(self):
        self.sent = []

    def send_success(self, token, output):
        self.sent.append((token, json.loads(output)))

    def send_failure(self, token, error, cause):
        raise AssertionError("an approval never fails its token")


@pytest.fixture
def store(tmp_path):
    control_tasks.calls.clear()
    return open_store(tmp_path / "store")


@pytest.fixture
def tokens():
    return Tokens()


def asking(token="T1", message="Deploy?", run=None, **parts):
    run = {"dag": "sales", "id": "r1", "execution": "e1", "params": {}, **(run or {})}
    args = json.dumps({"message": {"v": message}})
    return {
        "run": run,
        "task": "ok",
        "args": args,
        "approvers": [],
        "level": 0,
        "timeout": 60,
        "token": token,
        **parts,
    }


def test_a_decision_ends_the_waiting_state_with_who_when_and_why(store, tokens):
    assert request(asking(), store, tokens) is False
    assert pending(store, PREFIX)["message"] == "Deploy?"
    decision = decide(store, PREFIX, True, "ana", "looks good", now=lambda: 0.0)
    assert decision == {
        "approved": True,
        "by": "ana",
        "at": "1970-01-01T00:00:00+00:00",
        "comment": "looks good",
    }
    assert answer(store, PREFIX, tokens) is True
    assert tokens.sent == [
        ("T1", {"status": "success", "value": json.dumps(decision, separators=(",", ":"))})
    ]
    assert pending(store, PREFIX) is None


def test_a_rejection_is_an_answer_too_and_fields_are_answered_natively(store, tokens):
    request(asking(fields='[["approved"],["by"]]'), store, tokens)
    decide(store, PREFIX, False, "ana")
    answer(store, PREFIX, tokens)
    assert tokens.sent[0][1]["fields"] == {"approved": False, "by": "ana"}


def test_the_decision_is_the_result_of_the_task_for_all_who_read_it(store, tokens):
    request(asking(), store, tokens)
    decide(store, PREFIX, True, "ana")
    asked = event("b", args={"x": {"t": "ok", "p": ["by"]}}, call=f"{control_tasks.__name__}:note")
    assert invoke(asked, store)["value"] == '{"x":"ana"}'


def test_a_second_decision_is_refused_and_says_who_decided_when(store, tokens):
    request(asking(), store, tokens)
    decide(store, PREFIX, False, "ana", now=lambda: 0.0)
    with pytest.raises(UsageError, match=r"rejected already, by ana at 1970-01-01T00:00:00\+00:00"):
        decide(store, PREFIX, True, "bob")
    answer(store, PREFIX, tokens)
    assert json.loads(tokens.sent[0][1]["value"])["approved"] is False


def test_a_decision_about_nothing_is_refused(store):
    with pytest.raises(UsageError, match=f"nobody is asked for an approval under '{PREFIX}'"):
        decide(store, PREFIX, True, "ana")


def test_only_approvers_decide_and_after_an_escalation_both_levels_may(store, tokens):
    request(asking(approvers=["ana"]), store, tokens)
    with pytest.raises(UsageError, match="'bob' may not decide this; expected one of ana"):
        decide(store, PREFIX, True, "bob")
    request(asking("T2", approvers=["lead"], level=1), store, tokens)
    assert pending(store, PREFIX)["approvers"] == ["ana", "lead"]
    decide(store, PREFIX, True, "ana")
    answer(store, PREFIX, tokens)
    assert [token for token, _ in tokens.sent] == ["T2"]


def test_a_decision_that_came_before_the_state_waited_is_answered_at_once(store, tokens):
    request(asking("old"), store, tokens)
    decide(store, PREFIX, True, "ana")
    # The run died; a resumed one asks the same question.
    assert request(asking("new", run={"execution": "e2", "resume": True}), store, tokens) is True
    assert [token for token, _ in tokens.sent] == ["new"]


def test_a_resumed_run_asks_again_after_a_rejection_that_ended_it(store, tokens):
    request(asking(), store, tokens)
    decide(store, PREFIX, False, "ana")
    answer(store, PREFIX, tokens)
    again = asking("T2", run={"execution": "e2", "resume": True})
    assert request(again, store, tokens) is False
    decide(store, PREFIX, True, "ana")
    answer(store, PREFIX, tokens)
    assert json.loads(tokens.sent[-1][1]["value"])["approved"] is True


def test_a_rejection_that_no_run_has_heard_of_counts(store, tokens):
    request(asking(), store, tokens)
    decide(store, PREFIX, False, "ana")
    assert request(asking("T2", run={"execution": "e2", "resume": True}), store, tokens) is True
    assert json.loads(tokens.sent[0][1]["value"])["approved"] is False


def test_an_approval_of_another_question_is_none_of_this_one(store, tokens):
    request(asking(message="Deploy with auc 0.9?"), store, tokens)
    decide(store, PREFIX, True, "ana")
    answer(store, PREFIX, tokens)
    changed = asking("T2", message="Deploy with auc 0.5?", run={"execution": "e2", "resume": True})
    assert request(changed, store, tokens) is False
    assert pending(store, PREFIX)["message"] == "Deploy with auc 0.5?"
    assert store.get_or_none(f"{PREFIX}/result.json") is None


@pytest.mark.parametrize("how, approved", [("approve", True), ("reject", False)])
def test_when_the_time_is_over_the_machine_may_decide(store, tokens, how, approved):
    request(asking(), store, tokens)
    timed_out = {**asking(fields='[["approved"]]'), "decide": how}
    del timed_out["token"]
    record = settle(timed_out, store)
    assert record["fields"] == {"approved": approved}
    assert json.loads(record["value"])["by"] == "timeout"
    with pytest.raises(UsageError, match="already, by timeout"):
        decide(store, PREFIX, True, "ana")
    assert settle(timed_out, store) == record


def test_a_person_who_was_faster_than_the_time_out_has_decided(store, tokens):
    request(asking(), store, tokens)
    decide(store, PREFIX, True, "ana")
    assert json.loads(settle({**asking(), "decide": "reject"}, store)["value"])["by"] == "ana"


def test_the_question_may_be_the_value_of_a_task(store, tokens):
    invoke(event("up", "give", {"value": {"v": {"auc": 0.5}}}), store)
    request(asking(args=json.dumps({"message": {"t": "up"}})), store, tokens)
    assert pending(store, PREFIX)["message"] == '{"auc":0.5}'


def test_an_approval_inside_a_body_has_its_own_place(store, tokens):
    inside = asking(run={"index": "3"})
    request(inside, store, tokens)
    assert prefix_of(inside) == f"{PREFIX}/3"
    decide(store, f"{PREFIX}/3", True, "ana")
    assert json.loads(store.get(f"{PREFIX}/3/result.json"))["index"] == "3"


def test_a_decision_that_is_killed_is_made_once_and_reaches_the_machine(store, tokens):
    request(asking(), store, tokens)
    said = []

    def approve(dying):
        # After the kill that followed the decision it is on record, and a repeated one is refused.
        with contextlib.suppress(UsageError):
            said.append(decide(dying, PREFIX, True, "ana"))
        answer(dying, PREFIX, tokens)

    assert killed_at_each_write(approve, store) > 0
    assert {answer["value"] for _, answer in tokens.sent} == {
        json.loads(store.get(f"{PREFIX}/result.json"))["value"]
    }


def test_a_request_that_is_killed_is_made_again_by_the_next_attempt(store, tokens):
    killed_at_each_write(lambda dying: request(asking(), dying, tokens), store)
    assert pending(store, PREFIX)["token"] == "T1"
