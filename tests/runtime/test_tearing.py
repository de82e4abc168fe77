import pytest

from stepweave.errors import PermanentError
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event

MODULE = control_tasks.__name__
RESUMED = {"resume": True}


@pytest.fixture
def store(tmp_path):
    control_tasks.calls.clear()
    return open_store(tmp_path / "store")


def set_up(store, **parts):
    args = {"name": {"v": "a"}}
    return invoke(event("up", args=args, call=f"{MODULE}:create_table", setup=True, **parts), store)


def tear_down(store, function="note", args=None, **parts):
    asked = event(
        "down", args=args or {"x": {"v": 1}}, ends=["up"], rerun=True, call=f"{MODULE}:{function}", **parts
    )
    return invoke(asked, store)


def set_ups():
    return control_tasks.calls.count(("create", "a"))


def test_a_resumed_run_sets_up_anew_what_was_torn_down(store):
    set_up(store)
    tear_down(store)
    set_up(store, run=RESUMED)
    assert set_ups() == 2


def test_a_resumed_run_uses_what_was_set_up_and_not_torn_down(store):
    set_up(store)
    set_up(store, run=RESUMED)
    assert set_ups() == 1


def test_what_was_set_up_anew_counts_until_it_is_torn_down_as_well(store):
    set_up(store)
    tear_down(store)
    set_up(store, run=RESUMED)
    set_up(store, run=RESUMED)
    assert set_ups() == 2


def test_a_tear_down_that_failed_may_have_torn_down_all_the_same(store):
    set_up(store)
    with pytest.raises(PermanentError):
        tear_down(store, "drop_other", {"name": {"v": "a"}})
    set_up(store, run=RESUMED)
    assert set_ups() == 2


def test_a_retry_after_a_lost_answer_does_not_set_up_again(store):
    set_up(store)
    tear_down(store)
    set_up(store, attempt=1)
    assert set_ups() == 1


def test_each_item_of_a_mapped_setup_is_set_up_anew(store):
    for index in "01":
        set_up(store, run={"index": index})
    tear_down(store)
    for index in "01":
        set_up(store, run={"index": index, **RESUMED})
    assert set_ups() == 4


def test_inside_an_item_its_own_setup_is_torn_down(store):
    for index in "01":
        set_up(store, run={"index": index})
    tear_down(store, run={"index": "1"})
    for index in "01":
        set_up(store, run={"index": index, **RESUMED})
    assert set_ups() == 3


def test_what_was_torn_down_is_not_torn_down_again_by_a_clean_up(store):
    set_up(store)
    tear_down(store)
    tear_down(store, run=RESUMED, setups=["up"])
    assert control_tasks.calls.count({"x": 1}) == 1


def test_what_was_set_up_anew_is_torn_down_again(store):
    set_up(store)
    tear_down(store)
    set_up(store, run=RESUMED)
    tear_down(store, run=RESUMED)
    assert control_tasks.calls.count({"x": 1}) == 2
