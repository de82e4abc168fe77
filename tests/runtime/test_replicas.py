import json

import pytest

from stepweave.errors import PermanentError
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime.events import event
from tests.runtime.failing_store import killed_at_each_write


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def replica(store, number, value, **run):
    return invoke(event("a", "give", {"value": {"v": value}}, replica=number, run=run), store)


def quorum(store, of=3, need=2, run=None, **parts):
    return invoke(event("a", args={}, quorum={"of": of, "need": need}, run=run or {}, **parts), store)


def test_each_replica_is_committed_in_a_scope_of_its_own(store):
    assert replica(store, 1, 1)["value"] == "1"
    assert replica(store, 3, 5)["value"] == "5"
    assert [key for key, _ in store.list("")] == [
        "runs/sales/r1/a/replicas/1/result.json",
        "runs/sales/r1/a/replicas/3/result.json",
    ]


def test_the_value_on_which_enough_agree_becomes_the_tasks(store):
    for number, value in enumerate([4, 5, 5], 1):
        replica(store, number, value)
    assert quorum(store, fields="[[]]") == {"status": "success", "value": "5", "fields": {"value": 5}}
    envelope = json.loads(store.get("runs/sales/r1/a/result.json"))
    assert (envelope["metadata"], envelope["value"]) == ({"replicas": 3, "replicas_agreeing": 2}, "5")


def test_too_few_that_agree_are_an_error_that_counts_them(store):
    replica(store, 1, 1)
    replica(store, 2, 2)
    with pytest.raises(PermanentError) as raised:
        quorum(store)
    said = json.loads(str(raised.value))
    assert said["type"] == "NoQuorum"
    assert said["message"] == (
        "1 of 3 replicas of task 'a' agree, expected 2; 2 succeeded, with 2 different values"
    )
    with pytest.raises(PermanentError, match="0 of 3 replicas"):
        quorum(store, run={"id": "r2"})


def test_a_large_value_is_read_where_the_replica_left_it(store):
    for number in (1, 2):
        replica(store, number, "x" * 20_000)
    assert quorum(store, 2) == {"status": "success", "ref": "runs/sales/r1/a/replicas/1/output.json"}
    assert (
        json.loads(invoke(event("b", "give", {"value": {"t": "a"}}, inline=10**6), store)["value"])
        == "x" * 20_000
    )


def test_a_resumed_run_takes_the_new_agreement_when_the_replicas_ran_again(store):
    for number in (1, 2):
        replica(store, number, 1)
    quorum(store, 2)
    for number in (1, 2):
        replica(store, number, 2, resume=True)
    assert quorum(store, 2, run={"resume": True})["value"] == "2"
    assert quorum(store, 2, attempt=1)["value"] == "2"


def test_a_quorum_that_is_killed_ends_in_the_same_value(store):
    for number in (1, 2):
        replica(store, number, 1)
    quorum(store, 2)
    for number in (1, 2):
        replica(store, number, 2, resume=True)
    assert killed_at_each_write(lambda store: quorum(store, 2, run={"resume": True}), store) > 0
    assert json.loads(store.get("runs/sales/r1/a/result.json"))["value"] == "2"


def test_one_batch_job_per_replica_has_an_input_of_its_own(store):
    asked = event("a", "give", {"value": {"v": 1}}, replica=1, prepare=True)
    assert invoke(asked, store) == {"uri": "runs/sales/r1/a/replicas/1/input.json"}
