import itertools
import json
import threading

import boto3
import pytest

from stepweave.errors import UsageError
from stepweave.runtime.dynamodb_gates import DynamoDbGates, StepFunctionsTokens
from stepweave.runtime.memory_gates import MemoryGates
from stepweave.runtime.rendezvous import rendezvous
from tests.stores.aws_on_loopback import aws_on_loopback, point_to

OK = {"status": "success", "value": "1.0"}
FAILED = {"status": "failed"}


class Tokens:
    """Answers to task tokens, in order."""

    def __init__(self):
        self.sent = []

    def send_success(self, token, output):
        self.sent.append((token, json.loads(output)))

    def send_failure(self, token, error, cause):
        self.sent.append((token, error, json.loads(cause)))


@pytest.fixture(scope="module")
def server():
    with aws_on_loopback() as url:
        yield url


@pytest.fixture(params=["memory", "dynamodb"])
def table(request, monkeypatch):
    if request.param == "memory":
        yield MemoryGates()
        return
    point_to(request.getfixturevalue("server"), monkeypatch)
    client = boto3.client("dynamodb")
    name = f"gates-{request.node.name}".translate({ord(mark): "-" for mark in "[] ,'"})[:200]
    client.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    yield DynamoDbGates(client, name)
    client.close()


def wait(gate="join", awaited=("a", "b"), strict=False, token="T", run="r1"):
    return {"run": run, "gate": gate, "await": list(awaited), "strict": strict, "token": token}


def arrive(task, record=OK, gates=("join",), run="r1"):
    return {"run": run, "arrived": {task: record}, "gates": {task: list(gates)}}


def stopped(tasks, because, gates=("join",)):
    return {
        "run": "r1",
        "stopped": list(tasks),
        "because": because,
        "gates": {task: list(gates) for task in tasks},
    }


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_gate_opens_at_the_last_of_its_events_whatever_their_order(table, order):
    tokens = Tokens()
    events = [wait(), arrive("a", {**OK, "fields": {"auc": 0.9}}), arrive("b")]
    answers = [rendezvous(events[index], table, tokens) for index in order]
    assert answers == [{"opened": []}, {"opened": []}, {"opened": ["join"]}]
    assert tokens.sent == [("T", {"records": {"a": {**OK, "fields": {"auc": 0.9}}, "b": OK}})]


def test_the_first_record_of_a_task_stays(table):
    tokens = Tokens()
    rendezvous(arrive("a", {"status": "success", "value": "1"}), table, tokens)
    rendezvous(arrive("a", {"status": "success", "value": "2"}), table, tokens)
    rendezvous(wait(awaited=["a"]), table, tokens)
    assert tokens.sent[0][1]["records"]["a"]["value"] == "1"


def test_a_repeated_signal_may_answer_again_and_says_the_same(table):
    tokens = Tokens()
    for event in (wait(awaited=["a"]), arrive("a"), arrive("a")):
        rendezvous(event, table, tokens)
    assert tokens.sent == [("T", {"records": {"a": OK}})] * 2


def test_a_gate_that_is_tried_again_is_answered_by_its_new_token(table):
    tokens = Tokens()
    for event in (wait(token="old"), wait(token="new"), arrive("a"), arrive("b")):
        rendezvous(event, table, tokens)
    assert [token for token, _ in tokens.sent] == ["new"]


def test_one_signal_serves_several_gates_and_runs_do_not_meet(table):
    tokens = Tokens()
    rendezvous(wait("g1", ["a"], token="1"), table, tokens)
    rendezvous(wait("g2", ["a"], token="2"), table, tokens)
    rendezvous(wait("g1", ["a"], token="other", run="r2"), table, tokens)
    assert rendezvous(arrive("a", gates=["g1", "g2"]), table, tokens) == {"opened": ["g1", "g2"]}
    assert [token for token, _ in tokens.sent] == ["1", "2"]


def test_a_lenient_gate_takes_every_outcome(table):
    tokens = Tokens()
    for event in (wait(), arrive("a", FAILED), arrive("b")):
        rendezvous(event, table, tokens)
    assert tokens.sent == [("T", {"records": {"a": FAILED, "b": OK}})]


@pytest.mark.parametrize("first", ["wait", "arrive"])
def test_a_strict_gate_fails_at_the_first_arrival_that_is_no_success(table, first):
    tokens = Tokens()
    events = [wait(strict=True), arrive("a", FAILED)]
    for event in events if first == "wait" else reversed(events):
        rendezvous(event, table, tokens)
    assert tokens.sent == [("T", "UpstreamFailed", {"by": ["a"]})]


def test_a_strict_gate_tells_skipped_from_failed_and_names_the_cause(table):
    tokens = Tokens()
    skipped = {"status": "skipped", "by": ["start"]}
    rendezvous(wait(strict=True), table, tokens)
    rendezvous(stopped(["a"], skipped), table, tokens)
    rendezvous(stopped(["b"], {"status": "upstream_failed", "by": ["load", "start"]}), table, tokens)
    assert tokens.sent == [
        ("T", "UpstreamSkipped", {"by": ["start"]}),
        ("T", "UpstreamFailed", {"by": ["start", "load"]}),
    ]


def test_a_gate_that_waits_last_names_no_more_causes_than_step_functions_takes():
    table, tokens = MemoryGates(), Tokens()
    tasks = [f"check_{number:03}.{'x' * 50}" for number in range(700)]
    rendezvous(
        {"run": "r1", "arrived": dict.fromkeys(tasks, FAILED), "gates": {t: ["join"] for t in tasks}},
        table,
        tokens,
    )
    rendezvous(wait(awaited=tasks, strict=True), table, tokens)
    assert tokens.sent == [("T", "UpstreamFailed", {"by": tasks[:20]})]


def test_a_strict_gate_opens_when_all_succeeded(table):
    tokens = Tokens()
    for event in (wait(strict=True), arrive("b"), arrive("a")):
        rendezvous(event, table, tokens)
    assert tokens.sent == [("T", {"records": {"a": OK, "b": OK}})]


def test_stopped_tasks_arrive_with_the_reason(table):
    tokens = Tokens()
    because = {"status": "upstream_failed", "by": ["load"]}
    for event in (wait(), stopped(["a", "b"], because)):
        rendezvous(event, table, tokens)
    assert tokens.sent == [("T", {"records": {"a": because, "b": because}})]


def test_arrivals_side_by_side_open_the_gate(table):
    tokens, names = Tokens(), [f"t{number}" for number in range(12)]
    rendezvous(wait(awaited=names), table, tokens)
    threads = [threading.Thread(target=rendezvous, args=(arrive(name), table, tokens)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tokens.sent
    assert all(list(answer["records"]) == names for _, answer in tokens.sent)


def test_task_ids_and_records_keep_odd_characters(table):
    tokens = Tokens()
    record = {"status": "success", "value": '{"x":"{% $run %} é"}'}
    for event in (wait(awaited=["group.a b#é"]), arrive("group.a b#é", record)):
        rendezvous(event, table, tokens)
    assert tokens.sent == [("T", {"records": {"group.a b#é": record}})]


def test_an_event_that_is_neither_is_refused():
    with pytest.raises(UsageError, match="expected 'token'"):
        rendezvous({"run": "r1"}, MemoryGates(), Tokens())


def test_a_run_that_has_ended_is_forgotten():
    table, tokens = MemoryGates(), Tokens()
    rendezvous(arrive("a"), table, tokens)
    table.forget("r1")
    rendezvous(wait(awaited=["a"]), table, tokens)
    assert tokens.sent == []


class Refusing:
    """A client of Step Functions that refuses every answer with one error code."""

    class exceptions:  # noqa: N801 (boto3's name)
        class ClientError(Exception):
            pass

    def __init__(self, code):
        self.error = self.exceptions.ClientError(code)
        self.error.response = {"Error": {"Code": code}}

    def send_task_success(self, **_):
        raise self.error

    send_task_failure = send_task_success


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_an_answer_to_a_token_that_is_done_with_is_ignored(code):
    tokens = StepFunctionsTokens(Refusing(code))
    tokens.send_success("T", "{}")
    tokens.send_failure("T", "E", "{}")


def test_other_refusals_are_raised_so_that_the_signal_is_tried_again():
    tokens = StepFunctionsTokens(Refusing("ThrottlingException"))
    with pytest.raises(Refusing.exceptions.ClientError):
        tokens.send_success("T", "{}")
    with pytest.raises(Refusing.exceptions.ClientError):
        tokens.send_failure("T", "E", "{}")
