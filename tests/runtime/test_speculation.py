import json

import pytest

from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event
from tests.runtime.failing_store import killed_at_each_write

MODULE = control_tasks.__name__


@pytest.fixture
def store(tmp_path):
    control_tasks.calls.clear()
    return open_store(tmp_path / "store")


def staged(store, task, value, **parts):
    return invoke(event(task, "give", {"value": value}, stage=True, **parts), store)


def commit(store, *tasks, **run):
    return invoke(event("s", args={}, commit=list(tasks), run=run), store)


def names(store):
    return [key.removeprefix("runs/sales/r1/") for key, _ in store.list("runs/sales/r1")]


def test_what_a_speculation_computes_is_staged_and_seen_by_its_own_tasks_only(store):
    assert staged(store, "a", {"v": 1})["value"] == "1"
    assert staged(store, "b", {"t": "a"})["value"] == "1"
    assert names(store) == ["a/staged.json", "b/staged.json"]
    other = event("c", args={"x": {"t": "a"}}, upstream={"o": "failed"}, call=f"{MODULE}:note")
    assert json.loads(invoke(other, store)["value"]) == {"x": None}


def test_when_it_is_taken_what_was_staged_counts(store):
    staged(store, "a", {"v": 1})
    staged(store, "m", {"v": 2}, run={"index": "3/0"})
    assert commit(store, "a", "m", "never_ran") == {"status": "success"}
    assert names(store) == ["a/result.json", "m/3/0/result.json"]
    assert invoke(event("c", "give", {"value": {"t": "a"}}), store)["value"] == "1"
    assert commit(store, "a", "m") == {"status": "success"}


def test_a_further_attempt_finds_what_was_staged(store):
    invoke(event("a", args={}, stage=True, call=f"{MODULE}:note"), store)
    invoke(event("a", args={}, stage=True, attempt=1, call=f"{MODULE}:note"), store)
    assert len(control_tasks.calls) == 1


def test_a_resumed_run_uses_what_was_committed_and_replaces_what_is_stale(store):
    staged(store, "a", {"v": 1})
    commit(store, "a")
    assert staged(store, "a", {"v": 1}, run={"resume": True})["value"] == "1"
    assert names(store) == ["a/result.json"]
    assert staged(store, "a", {"v": 2}, run={"resume": True})["value"] == "2"
    assert names(store) == ["a/staged.json"]
    commit(store, "a", resume=True)
    assert json.loads(store.get("runs/sales/r1/a/result.json"))["value"] == "2"


def test_a_commit_that_is_killed_is_finished_by_the_next_call(store):
    for task in ("a", "b"):
        staged(store, task, {"v": task})
    assert killed_at_each_write(lambda store: commit(store, "a", "b"), store) > 0
    assert names(store) == ["a/result.json", "b/result.json"]


def test_mapped_values_inside_a_speculation_are_read_before_they_count(store):
    pick = {"pick": [{"v": 5}, {"v": 6}], "div": 1, "d": 0}
    for number in range(2):
        staged(store, "m", pick, run={"index": str(number)})
    values = {"m": {"t": "m", "d": 1}, "of": "m", "d": 0, "n": 2}
    assert staged(store, "b", values)["value"] == "[5,6]"


def test_replicas_inside_a_speculation_are_counted_and_their_agreement_is_staged(store):
    for number in (1, 2):
        staged(store, "a", {"v": 1}, replica=number)
    invoke(event("a", args={}, stage=True, quorum={"of": 2, "need": 2}), store)
    assert names(store) == ["a/replicas/1/result.json", "a/replicas/2/result.json", "a/staged.json"]
    commit(store, "a")
    assert json.loads(store.get("runs/sales/r1/a/result.json"))["value"] == "1"
