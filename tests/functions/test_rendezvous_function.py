import importlib

import pytest

from stepweave.errors import UsageError
from stepweave.runtime.memory_gates import MemoryGates
from tests.functions.environment_fakes import TABLE, LambdaContext

WAIT = {"run": "r1", "gate": "join", "await": ["a"], "strict": True, "token": "secret-token"}
ARRIVE = {"run": "r1", "arrived": {"a": {"status": "success"}}, "gates": {"a": ["join"]}}


class Tokens:
    """A client of Step Functions that keeps the answers."""

    class exceptions:  # noqa: N801 (boto3's name)
        ClientError = RuntimeError

    def __init__(self):
        self.sent = []

    def send_task_success(self, **answer):
        self.sent.append(answer)


@pytest.fixture
def rendezvous(dynamodb, monkeypatch):
    monkeypatch.setenv("STEPWEAVE_TABLE", TABLE)
    module = importlib.import_module("functions.rendezvous.handler")
    module._ports.cache_clear()
    module.tokens = Tokens()
    clients = {"dynamodb": dynamodb, "stepfunctions": module.tokens}
    monkeypatch.setattr(module, "client", clients.__getitem__)
    return module


def test_a_gate_opens_when_all_have_arrived(rendezvous):
    assert rendezvous.handler(WAIT, LambdaContext()) == {"opened": []}
    assert rendezvous.handler(ARRIVE, LambdaContext()) == {"opened": ["join"]}
    assert rendezvous.tokens.sent == [
        {"taskToken": "secret-token", "output": '{"records": {"a": {"status": "success"}}}'}
    ]


def test_a_gate_is_an_item_of_the_records_table(rendezvous, dynamodb):
    rendezvous.handler(WAIT, LambdaContext())
    (item,) = dynamodb.scan(TableName=TABLE)["Items"]
    assert (item["pk"]["S"], item["sk"]["S"]) == ("GATE#r1#join", "GATE")
    assert int(item["expires"]["N"]) > 365 * 86_400


@pytest.mark.parametrize("dies_in", ["wait", "arrive"])
def test_a_rendezvous_that_answers_twice_or_dies_after_writing_opens_the_gate_all_the_same(
    rendezvous, dynamodb, dies_in
):
    events = {"wait": WAIT, "arrive": ARRIVE}
    for name, event in events.items():
        if name == dies_in:
            dynamodb.dying = ["update_item"]
            with pytest.raises(Exception, match="update_item"):
                rendezvous.handler(event, LambdaContext())
        rendezvous.handler(event, LambdaContext())
    assert {sent["taskToken"] for sent in rendezvous.tokens.sent} == {"secret-token"}


def test_the_rendezvous_never_logs_a_task_token(rendezvous, monkeypatch, capsys):
    monkeypatch.setattr(rendezvous, "_ports", lambda table: (MemoryGates(), None))
    rendezvous.handler(WAIT, LambdaContext())
    assert "secret-token" not in capsys.readouterr().out


def test_the_rendezvous_says_what_is_not_set(rendezvous, monkeypatch):
    monkeypatch.delenv("STEPWEAVE_TABLE")
    with pytest.raises(UsageError, match="STEPWEAVE_TABLE is not set"):
        rendezvous.handler({"run": "r1"}, LambdaContext())
