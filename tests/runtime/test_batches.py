import json

import pytest

from stepweave.errors import DataError, PermanentError, RetryAfter, TransientError
from stepweave.runtime.failed_tasks import RunStopped
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event
from tests.runtime.failing_store import killed_at_each_write

MODULE = control_tasks.__name__
X = {"x": {"i": "m", "k": "x", "d": 0}}


@pytest.fixture
def store(tmp_path):
    control_tasks.calls.clear()
    return open_store(tmp_path / "store")


def written(store, values, size):
    return invoke(event("m", args={"x": {"v": values}}, items={"how": "product", "batch": size}), store)


def batch(store, number, function="double", size=3, args=None, run=None, **parts):
    run = {"index": str(number), **(run or {})}
    return invoke(
        event("m", args=args or X, batch=size, run=run, call=f"{MODULE}:{function}", **parts), store
    )


def test_a_batch_runs_its_items_and_each_has_its_own_envelope_and_log(store):
    assert written(store, [0, 1, 2, 3], 3) == {"n": 4, "b": 2}
    assert batch(store, 0) == {"status": "success", "items": "sss"}
    assert batch(store, 1) == {"status": "success", "items": "s"}
    assert control_tasks.calls == [0, 1, 2, 3]
    assert json.loads(store.get("runs/sales/r1/m/3/result.json"))["value"] == "6"


def test_an_item_that_fails_or_is_skipped_does_not_stop_the_others(store):
    written(store, [0, 1, 2], 3)
    assert batch(store, 0, "fails_for") == {"status": "success", "items": "sfs"}
    assert control_tasks.calls == [0, 1, 2]
    assert "1 is bad" in store.get("runs/sales/r1/m/1/logs/0.log").decode()
    args = {"x": {"pick": [{"v": 0}, {"v": 1}], "div": 1, "d": 0}}
    assert batch(store, 0, "skips_for", args=args, run={"id": "r2"})["items"] == "sk"


def test_an_item_that_may_be_tried_again_makes_the_batch_fail_by_its_class(store):
    written(store, [0, 1, 2], 3)
    with pytest.raises(TransientError) as raised:
        batch(store, 0, "flaky", tries={"TransientError": 2})
    assert json.loads(str(raised.value))["message"] == "once"
    assert batch(store, 0, "flaky", tries={"TransientError": 2}, attempt=1)["items"] == "sss"
    assert control_tasks.calls == [0, 1, 2, 1]


def test_when_the_attempts_are_used_up_the_letters_say_so(store):
    written(store, [0, 1, 2], 3)
    with pytest.raises(DataError):
        batch(store, 0, "fails_for", tries={"DataError": 1})
    assert batch(store, 0, "fails_for", tries={"DataError": 1}, attempt=1)["items"] == "sfs"


def test_an_item_that_failed_for_good_is_not_run_by_a_further_attempt(store):
    written(store, [0, 1, 2], 3)
    batch(store, 0, "fails_for")
    assert batch(store, 0, "fails_for", attempt=1)["items"] == "sfs"
    assert control_tasks.calls == [0, 1, 2]
    # A resumed run does run it.
    batch(store, 0, "fails_for", run={"resume": True})
    assert control_tasks.calls == [0, 1, 2, 1]


def test_batches_of_a_written_list_need_no_manifest(store):
    args = {
        "x": {"pick": [{"v": 5}, {"v": 6}], "div": 2, "d": 0},
        "y": {"pick": [{"v": 0}, {"v": 1}], "div": 1, "d": 0},
    }
    assert batch(store, 1, "note", args=args)["items"] == "s"
    assert control_tasks.calls == [{"x": 6, "y": 1}]


def test_a_batch_inside_a_body_finds_the_items_of_its_own_node(store):
    asked = event("m", args={"x": {"v": [7]}}, items={"how": "product"}, run={"index": "4"})
    invoke(asked, store)
    args = {"x": {"i": "m", "k": "x", "d": 1}}
    assert batch(store, "4/0", args=args)["items"] == "s"
    assert json.loads(store.get("runs/sales/r1/m/4/0/result.json"))["value"] == "14"


def test_a_batch_without_items_says_what_is_missing(store):
    with pytest.raises(PermanentError, match="batch 0 of mapped task 'm': its items were never written down"):
        batch(store, 0)


def test_a_batch_that_is_killed_goes_on_where_it_was(store):
    written(store, [0, 1, 2], 3)
    assert killed_at_each_write(lambda store: batch(store, 0, attempt=1), store) > 0
    assert json.loads(store.get("runs/sales/r1/m/2/result.json"))["value"] == "4"
    # Each item ran until it was committed, and never again.
    assert control_tasks.calls.count(0) <= 3
    assert batch(store, 0, attempt=1)["items"] == "sss"


def test_an_item_that_puts_itself_off_puts_off_the_batch_and_what_has_ended_stays(store):
    written(store, [0, 1, 2], 3)
    with pytest.raises(RetryAfter) as raised:
        batch(store, 0, "patient", later=0, later_most=1)
    assert json.loads(str(raised.value))["seconds"] == 5
    assert batch(store, 0, "patient", later=1, later_most=1)["items"] == "sss"
    assert control_tasks.calls == [0, 1, 2, 1]


def test_a_stopped_run_stops_its_batches(store):
    written(store, [0, 1, 2], 3)
    with pytest.raises(RunStopped):
        batch(store, 0, "fails_for", tries={}, max_failed=0, run={"execution": "e1"})
    assert control_tasks.calls == [0, 1]
