import contextlib
import json
import pickle

import pytest

from stepweave.errors import DataError, Skip
from stepweave.runtime.invoke import invoke
from stepweave.runtime.mapped import MappedValues
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event
from tests.stores.aws_on_loopback import BUCKET, aws_on_loopback, point_to

MODULE = control_tasks.__name__
VALUES = {"m": {"t": "m", "d": 1}, "of": "m", "d": 0}


@pytest.fixture(scope="module")
def server():
    with aws_on_loopback() as url:
        yield url


@pytest.fixture
def loopback(server, monkeypatch):
    point_to(server, monkeypatch)


@pytest.fixture(params=["local", "s3"])
def store(request, tmp_path):
    control_tasks.calls.clear()
    if request.param == "local":
        return open_store(tmp_path / "objects")
    request.getfixturevalue("loopback")
    return open_store(f"s3://{BUCKET}/{tmp_path.name}")


def run_items(store, values, how="double", run=None):
    """The mapped task ``m`` over ``values``; failures and skips are left behind."""
    lists = {"x": {"v": values}}
    invoke(event("m", args=lists, items={"how": "product"}, run=run or {}), store)
    args = {"x": {"i": "m", "k": "x", "d": 0}}
    for number in range(len(values)):
        asked = event("m", args=args, run={"index": str(number), **(run or {})}, call=f"{MODULE}:{how}")
        with contextlib.suppress(DataError, Skip):
            invoke(asked, store)


def read(store, function="hand_back", spec=VALUES, task="b", **parts):
    asked = event(task, args={"values": spec}, call=f"{MODULE}:{function}", **parts)
    return json.loads(invoke(asked, store)["value"])


def test_the_values_come_in_the_order_of_the_items(store):
    run_items(store, [3, 1, 2])
    assert read(store, "lazily") == ["MappedValues", 3, 6, [2, 4]]
    assert read(store, spec={**VALUES, "p": [2]}, task="c") == 4


def test_items_that_failed_or_were_skipped_are_left_out(store):
    run_items(store, [0, 1, 2], "fails_for")
    assert read(store) == [0, 2]
    run_items(store, [0, 1, 2], "skips_for", run={"id": "r2"})
    assert read(store, run={"id": "r2"}) == [0, 2]


def test_a_written_list_needs_no_manifest(tmp_path):
    store = open_store(tmp_path)
    pick = {"x": {"pick": [{"v": 5}, {"v": 6}], "div": 1, "d": 0}}
    for number in range(2):
        invoke(event("m", args=pick, run={"index": str(number)}, call=f"{MODULE}:double"), store)
    assert read(store, spec={**VALUES, "n": 2}) == [10, 12]
    assert read(store, spec={**VALUES, "n": 2}, task="c", lost={"m": [0]}) == [12]


@pytest.mark.parametrize(
    "function, expected",
    [("as_list", "list"), ("as_optional_list", "list"), ("as_sequence", "MappedValues")],
)
def test_a_parameter_annotated_with_a_list_gets_a_list(tmp_path, function, expected):
    store = open_store(tmp_path)
    run_items(store, [1, 2])
    assert read(store, function) == expected


@pytest.mark.parametrize("status", ["skipped", "upstream_failed", "running"])
def test_a_mapped_task_that_did_not_run_has_no_value(tmp_path, status):
    store = open_store(tmp_path)
    assert read(store, upstream={"m": status}) is None
    assert read(store, task="c", records={"m": {"status": status}}) is None


def test_of_a_mapped_task_that_failed_the_successes_are_there(tmp_path):
    store = open_store(tmp_path)
    run_items(store, [0, 1, 2], "fails_for")
    assert read(store, upstream={"m": "failed"}) == [0, 2]


def test_large_values_are_loaded_when_asked_for(store):
    run_items(store, ["x" * 20_000, "y" * 20_000])
    assert read(store, spec={**VALUES, "p": [1]}, inline=10**6) == "y" * 40_000
    assert [len(value) for value in read(store, task="c", inline=10**6)] == [40_000, 40_000]


def test_files_that_items_returned_are_there_side_by_side(store):
    pick = {"text": {"pick": [{"v": f"<{number}>"} for number in range(20)], "div": 1, "d": 0}}
    for number in range(20):
        asked = event("m", "write_file", pick, run={"index": str(number)})
        invoke(asked, store)
    read_all = event("b", args={"paths": {**VALUES, "n": 20}}, call=f"{MODULE}:contents")
    assert json.loads(invoke(read_all, store)["value"]) == [f"<{number}>" for number in range(20)]


def test_a_reader_of_all_items_runs_again_when_one_has_changed(tmp_path):
    store = open_store(tmp_path)
    run_items(store, [1, 2])
    read(store, "note")
    again = {"resume": True}
    read(store, "note", run=again)
    assert [call for call in control_tasks.calls if isinstance(call, dict)] == [{"values": [2, 4]}]
    run_items(store, [1, 5], run=again)
    read(store, "note", run=again)
    assert control_tasks.calls[-1] == {"values": [2, 10]}
    envelope = json.loads(store.get("runs/sales/r1/b/result.json"))
    assert list(envelope["inputs"]) == ["m"]


def test_the_results_of_a_group_are_read_by_its_result_at_every_depth(tmp_path):
    store = open_store(tmp_path)
    for path, value in [("0/0", 1), ("0/1", 2), ("1/0", 3)]:
        invoke(event("g.t", "give", {"value": {"v": {"k": value}}}, run={"index": path}), store)
    inner = {"m": {"t": "g.t", "d": 2, "p": ["k"]}, "of": "g.h", "d": 1}
    invoke(event("g", args={"x": {"v": [0, 1, 2]}}, items={"how": "product"}), store)
    for outer, count in [("0", 2), ("1", 1)]:
        asked = event("g.h", args={"y": {"v": [0] * count}}, items={"how": "product"}, run={"index": outer})
        invoke(asked, store)
    spec = {"m": {"d": {"all": inner, "item": {"i": "g", "k": "x", "d": 0}}}, "of": "g", "d": 0}
    assert read(store, spec=spec) == [
        {"all": [1, 2], "item": 0},
        {"all": [3], "item": 1},
    ]
    only = {"m": {"d": {"t": {"t": "g.t", "d": 1}}}, "of": "g", "d": 0}
    assert read(store, spec=only, task="c") == []


def test_a_reader_inside_a_body_reads_the_values_of_its_own_item(tmp_path):
    store = open_store(tmp_path)
    for path, value in [("0/0", 1), ("1/0", 3)]:
        invoke(event("g.t", "give", {"value": {"v": value}}, run={"index": path}), store)
    spec = {"m": {"t": "g.t", "d": 2}, "of": "g.h", "d": 1, "n": 1}
    assert read(store, spec=spec, run={"index": "1"}) == [3]


def values(count=3, missing=(), load=str):
    digests = {number: f"d{number}" for number in range(count) if number not in missing}
    return MappedValues("m", count, digests, load, remote=False)


def test_it_is_a_sequence_like_a_list():
    found = values(4, missing={1})
    assert (len(found), found.indexes, found.failed) == (3, (0, 2, 3), 1)
    assert (found[0], found[-1], found[1:]) == ("0", "3", ["2", "3"])
    assert list(found) == ["0", "2", "3"] == found
    assert found == ("0", "2", "3")
    assert found != ["0"]
    assert "2" in found
    assert (found == 3) is False
    with pytest.raises(IndexError):
        found[3]


def test_its_repr_says_how_many_and_shows_the_first():
    assert repr(values(5, missing={1})) == "<4 values of 'm', 1 without a value: ['0', '2', '3', …]>"
    assert repr(values(1)) == "<1 values of 'm': ['0']>"


def test_nothing_is_loaded_before_it_is_asked_for():
    loaded = []
    found = values(3, load=lambda number: loaded.append(number) or number)
    assert (len(found), found.digest == values(3).digest, loaded) == (3, True, [])
    assert found[1] == 1
    assert loaded == [1]


def test_a_copy_holds_the_values_themselves():
    copy = pickle.loads(pickle.dumps(values(2)))
    assert type(copy) is list
    assert copy == ["0", "1"]


def test_the_digest_tells_which_items_have_which_value():
    digests = {
        values(3).digest,
        values(4).digest,
        values(3, missing={0}).digest,
        values(3, missing={1}).digest,
    }
    assert len(digests) == 4


def test_a_value_that_was_never_written_down_is_named(tmp_path):
    with pytest.raises(DataError, match=r"runs/sales/r1/m/items/0.json"):
        read(open_store(tmp_path), spec={"i": "m", "k": "x", "d": 0}, run={"index": "0"})


def test_the_value_of_a_mapped_task_without_items_is_an_empty_list(tmp_path):
    store = open_store(tmp_path)
    run_items(store, [])
    assert read(store, upstream={"m": "skipped"}) == []
    assert read(store, task="c", spec={**VALUES, "n": 0}, records={"m": {"status": "skipped"}}) == []
    run_items(store, [1], run={"id": "r2"})
    assert read(store, upstream={"m": "skipped"}, run={"id": "r2"}) is None
