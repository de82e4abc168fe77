import json

import pytest

from stepweave.errors import DataError
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event

MODULE = control_tasks.__name__


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def succeed(store, value, run, **parts):
    return invoke(event("a", "give", {"value": {"v": value}}, remember=True, run={"id": run}, **parts), store)


def recall(store, run, **parts):
    return invoke(
        event("a", args={}, remember=True, run={"id": run}, call=f"{MODULE}:last_good", **parts), store
    )


def test_the_last_good_value_is_that_of_the_latest_run_that_succeeded(store):
    succeed(store, 1, "r1")
    succeed(store, 2, "r2")
    assert recall(store, "r3")["value"] == "2"
    envelope = json.loads(store.get("runs/sales/r3/a/result.json"))
    assert envelope["metadata"] == {"recalled_from_run": "r2"}


def test_what_was_recalled_is_no_success_of_its_own(store):
    succeed(store, 1, "r1")
    recall(store, "r2")
    recall(store, "r3")
    assert json.loads(store.get("runs/sales/r3/a/result.json"))["metadata"] == {"recalled_from_run": "r1"}


def test_without_an_earlier_success_the_error_says_what_to_do(store):
    with pytest.raises(DataError, match="task 'a' has no earlier success to fall back on"):
        recall(store, "r1")
    succeed(store, 1, "r1")
    store.delete("runs/sales/r1/a/result.json")
    with pytest.raises(DataError, match="no earlier success"):
        recall(store, "r2")


def test_what_is_only_staged_or_not_to_be_remembered_is_no_last_success(store):
    succeed(store, 1, "r1", stage=True)
    invoke(event("a", "give", {"value": {"v": 2}}, run={"id": "r2"}), store)
    with pytest.raises(DataError, match="no earlier success"):
        recall(store, "r3")


def test_replicas_that_agree_are_remembered_as_one(store):
    for number in (1, 2):
        invoke(event("a", "give", {"value": {"v": 7}}, replica=number), store)
    invoke(event("a", args={}, quorum={"of": 2, "need": 2}, remember=True), store)
    assert recall(store, "r2")["value"] == "7"
