import json

import pytest

from stepweave.errors import PermanentError, TransientError
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event
from tests.runtime.failing_store import killed_at_each_write

MODULE = control_tasks.__name__
NAME = {"name": {"v": "a"}, "size": {"v": 3}}


@pytest.fixture
def store(tmp_path):
    control_tasks.calls.clear()
    return open_store(tmp_path / "store")


def create(store, args=NAME, **parts):
    return invoke(event("t", args=args, call=f"{MODULE}:create_table", **parts), store)


def undo(store, args=NAME, function="drop_table", **parts):
    return invoke(event("t", args=args, undo={"of": "t"}, call=f"{MODULE}:{function}", **parts), store)


def drops():
    return [call for call in control_tasks.calls if call[0] == "drop"]


def test_the_undo_gets_the_arguments_that_it_names_and_the_result(store):
    create(store)
    assert undo(store) == {"status": "success"}
    assert drops() == [("drop", "a", "a")]


def test_what_was_never_committed_is_not_undone(store):
    assert undo(store) == {"status": "skipped"}
    assert drops() == []


def test_what_was_undone_is_no_result_any_more_and_a_resumed_run_runs_it_again(store):
    create(store)
    undo(store)
    assert store.get_or_none("runs/sales/r1/t/result.json") is None
    mark = json.loads(store.get("runs/sales/r1/t/undo/result.json"))
    assert (mark["status"], list(mark["inputs"])) == ("success", ["t"])
    create(store, run={"resume": True})
    assert control_tasks.calls.count(("create", "a")) == 2
    # The new result is a new thing to undo.
    undo(store)
    assert len(drops()) == 2


def test_an_undo_that_is_repeated_does_nothing(store):
    create(store)
    undo(store)
    assert undo(store, attempt=1) == {"status": "success"}
    assert len(drops()) == 1


def test_an_undo_that_is_killed_runs_again_only_while_it_is_not_on_record(store):
    create(store)
    assert killed_at_each_write(undo, store) == 4  # a stale mark, that it began, the mark, the result
    # Killed before the mark was written, it is not known to have run; afterwards it is.
    assert len(drops()) == 2
    assert store.get_or_none("runs/sales/r1/t/result.json") is None


def test_an_undo_that_was_cut_off_is_finished_before_a_resumed_run_looks_for_the_result(store):
    create(store, compensated=True)
    with pytest.raises(KeyboardInterrupt):
        undo(store, function="drop_and_die")
    assert drops() == [("drop", "a", "a")]
    create(store, compensated=True, run={"resume": True})
    # Nobody knew whether it had been undone: it is undone for certain, then done again.
    assert [call[0] for call in control_tasks.calls] == ["create", "drop", "drop", "create"]
    assert store.get_or_none("runs/sales/r1/t/result.json") is not None


def test_the_result_of_a_task_whose_undo_failed_is_used_by_a_resumed_run(store):
    pick = {"name": {"v": "b"}}
    create(store, pick, compensated=True)
    with pytest.raises(TransientError, match="the database is busy"):
        undo(store, pick, "drop_or_fail")
    create(store, pick, compensated=True, run={"resume": True})
    assert [call[0] for call in control_tasks.calls] == ["create", "drop"]


def test_of_a_mapped_task_every_committed_item_is_undone_the_last_first(store):
    pick = {"name": {"pick": [{"v": name} for name in "abc"], "div": 1, "d": 0}}
    for index in ("0", "2", "1"):
        create(store, pick, run={"index": index})
    undo(store, pick)
    assert drops() == [("drop", "c", "c"), ("drop", "b", "b"), ("drop", "a", "a")]


def test_one_item_that_cannot_be_undone_does_not_keep_the_others(store):
    pick = {"name": {"pick": [{"v": name} for name in "abc"], "div": 1, "d": 0}}
    for index in ("0", "1", "2"):
        create(store, pick, run={"index": index})
    with pytest.raises(TransientError, match="the database is busy"):
        undo(store, pick, "drop_or_fail")
    assert [call[1] for call in drops()] == ["c", "b", "a"]
    assert undo(store, pick, "drop_or_fail", attempt=1) == {"status": "success"}
    assert [call[1] for call in drops()] == ["c", "b", "a", "b"]


def test_items_at_every_depth_are_found_and_numbers_are_compared_as_numbers(store):
    args = {"name": {"c": 1}}
    for index in ("0/0", "2/9", "2/10"):
        create(store, args, run={"index": index})
    undo(store, args)
    assert [call[1] for call in drops()] == [10, 9, 0]


def test_what_expressions_gave_is_kept_with_a_result_that_may_be_undone(store):
    args = {"name": {"x": 0}}
    create(store, args, values=["computed"], compensated=True)
    undo(store, args)
    assert drops() == [("drop", "computed", "computed")]


def test_replicas_of_what_was_undone_are_no_results_either(store):
    for number in (1, 2):
        create(store, replica=number)
    invoke(event("t", args={}, quorum={"of": 2, "need": 2}), store)
    undo(store)
    assert [key for key, _ in store.list("runs") if key.endswith("result.json")] == [
        "runs/sales/r1/t/undo/result.json"
    ]


def test_an_undo_with_a_parameter_that_nobody_has_says_which_there_are(store):
    create(store)
    with pytest.raises(PermanentError) as raised:
        undo(store, function="drop_other")
    assert (
        "the compensation of task 't' has the parameter 'other'" in json.loads(str(raised.value))["message"]
    )
    assert store.get_or_none("runs/sales/r1/t/result.json") is not None


def test_a_clean_up_is_skipped_unless_a_setup_of_its_succeeded(store):
    asked = event("clean", args={"x": {"t": "t", "p": ["table"]}}, setups=["t", "u"], call=f"{MODULE}:note")
    with pytest.raises(Exception, match="none of t, u succeeded") as raised:
        invoke(asked, store)
    assert type(raised.value).__name__ == "Skip"
    create(store)
    assert invoke(asked, store)["value"] == '{"x":"a"}'


def test_a_clean_up_gets_none_for_what_does_not_exist(store):
    create(store)
    asked = event("clean", args={"x": {"t": "gone"}}, setups=["t"], call=f"{MODULE}:note")
    assert invoke(asked, store)["value"] == '{"x":null}'
