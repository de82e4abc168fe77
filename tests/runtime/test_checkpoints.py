import gc
import threading

import numpy as np
import pytest

from stepweave.errors import StoreError, UsageError
from stepweave.runtime.checkpoints import save_folders
from stepweave.runtime.context import Context
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime.events import event

TASKS = "tests.functions.deployed_tasks"


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path))


def attempt(store, digest="inputs", **parts):
    """The checkpoint as one more attempt sees it."""
    return Context(dag_id="d", run_id="r", task_id="t", store=store, input_digest=digest, **parts).checkpoint


def test_what_one_attempt_saves_the_next_one_loads(store):
    attempt(store).save({"epoch": 3, "weights": np.arange(4.0)})
    found = attempt(store).load()
    assert (found["epoch"], found["weights"].tolist()) == (3, [0.0, 1.0, 2.0, 3.0])


def test_the_default_is_given_when_nothing_was_saved_and_none_is_a_value(store):
    checkpoint = attempt(store)
    assert checkpoint.load({"epoch": 0}) == {"epoch": 0}
    checkpoint.save(None)
    assert checkpoint.load("default") is None
    assert attempt(store).load("default") is None


def test_files_in_the_folder_travel_with_it(store):
    checkpoint = attempt(store)
    (checkpoint.folder / "deep").mkdir()
    (checkpoint.folder / "deep" / "weights.bin").write_bytes(b"\0" * 9)
    checkpoint.save(7)
    later = attempt(store)
    assert (later.load(), (later.folder / "deep" / "weights.bin").read_bytes()) == (7, b"\0" * 9)
    (later.folder / "deep" / "weights.bin").unlink()
    later.save()
    last = attempt(store)
    assert (last.load(), [path for path in last.folder.rglob("*") if path.is_file()]) == (7, [])


def test_other_inputs_begin_anew(store):
    attempt(store).save(1)
    assert attempt(store, digest="others").load("none") == "none"
    attempt(store, digest="others").save(2)
    assert attempt(store, digest="others").load() == 2


def test_items_of_a_mapped_task_keep_apart_what_they_save(store):
    attempt(store, index="3").save("three")
    attempt(store).save("whole")
    attempt(store).save("whole again")
    assert (attempt(store, index="3").load(), attempt(store).load()) == ("three", "whole again")


def test_only_the_latest_version_is_kept(store):
    checkpoint = attempt(store)
    for number in range(5):
        checkpoint.save("x" * 20_000 + str(number))
    assert [key for key, _ in store.list("checkpoints")] == [
        "checkpoints/d/r/t/checkpoint.json",
        "checkpoints/d/r/t/v5/output.json",
    ]


class Failing:
    """A store that refuses to write the pointer."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def put(self, key, data):
        if key.endswith("checkpoint.json"):
            raise StoreError("the network is gone")
        self._store.put(key, data)


def test_a_save_that_is_cut_off_leaves_the_version_before(store):
    attempt(store).save("first" * 5_000)
    with pytest.raises(StoreError):
        attempt(Failing(store)).save("second" * 5_000)
    assert attempt(store).load() == "first" * 5_000
    attempt(store).save("third" * 5_000)
    assert attempt(store).load() == "third" * 5_000


def test_threads_save_one_after_another(store):
    checkpoint = attempt(store)
    threads = [threading.Thread(target=checkpoint.save, args=([number] * 9_000,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = attempt(store).load()
    assert (len(found), len(set(found))) == (9_000, 1)
    assert len(list(store.list("checkpoints"))) == 2


def test_folders_in_use_are_saved_when_the_process_is_about_to_end(store):
    gc.collect()
    idle, busy = attempt(store), attempt(store, index="1")
    idle.save(1)
    (busy.folder / "a").write_text("b")
    assert save_folders() == 1
    assert (attempt(store, index="1").folder / "a").read_text() == "b"


def test_the_checkpoint_goes_when_the_task_is_committed(store):
    asked = event("t", "counting", {"to": {"v": 4}}, call=f"{TASKS}:counting")
    assert invoke(asked, store) == {"status": "success", "value": "0"}
    assert list(store.list("checkpoints")) == []


def test_a_resumed_run_with_other_inputs_begins_anew(store):
    def asked(**parts):
        args = {"to": {"v": 5}, "stop_at": {"r": "stop"}}
        run = {"params": {"stop": parts.pop("stop")}, **parts}
        return event("t", "counting", args, call=f"{TASKS}:counting", run=run)

    with pytest.raises(Exception, match="died"):
        invoke(asked(stop=3), store)
    assert list(store.list("checkpoints"))
    assert invoke(asked(stop=None, resume=True), store)["value"] == "0"


def test_a_test_of_the_function_alone_says_what_it_needs():
    with pytest.raises(UsageError, match="has no store"):
        _ = Context(dag_id="d", run_id="r", task_id="t").checkpoint
