import json
from itertools import product

import pytest

from stepweave.errors import DataError, PermanentError
from stepweave.runtime.invoke import invoke
from stepweave.runtime.item_chunks import CHUNK
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event
from tests.runtime.failing_store import killed_at_each_write

MODULE = control_tasks.__name__


@pytest.fixture
def store(tmp_path):
    control_tasks.calls.clear()
    return open_store(tmp_path / "store")


def items(store, lists, how="product", run=None, **parts):
    asked = event("m", args=lists, items={"how": how, **parts}, run=run or {})
    return invoke(asked, store)


def item(store, number, args, function="note", **run):
    asked = event("m", args=args, run={"index": str(number), **run}, call=f"{MODULE}:{function}")
    return json.loads(invoke(asked, store)["value"])


X = {"x": {"i": "m", "k": "x", "d": 0}}
XY = {**X, "y": {"i": "m", "k": "y", "d": 0}}


def test_product_gives_every_combination_and_the_last_argument_varies_fastest(store):
    lists = {"x": {"v": [1, 2]}, "y": {"v": ["a", "b", "c"]}}
    assert items(store, lists) == {"n": 6, "b": 6}
    found = [item(store, number, XY) for number in range(6)]
    assert found == [{"x": x, "y": y} for x, y in product([1, 2], "abc")]


def test_zip_gives_the_members_side_by_side(store):
    assert items(store, {"x": {"v": [1, 2]}, "y": {"v": [3, 4]}}, "zip") == {"n": 2, "b": 2}
    assert item(store, 1, XY) == {"x": 2, "y": 4}


def test_the_parts_that_the_state_machine_reads_are_told_for_every_item(store):
    lists = {"x": {"v": [{"kind": "a", "n": [5]}, {"n": 3}, 7]}}
    told = items(store, lists, fields='[["x","kind"],["x","n",0]]')
    assert told == {"n": 3, "b": 3, "fields": [{"x.kind": "a", "x.n.0": 5}, {}, {}]}


def test_parts_that_no_payload_could_hold_are_refused(store):
    lists = {"x": {"v": [{"kind": "a" * 1000}] * 300}}
    with pytest.raises(DataError, match=r"read 30[0-9],[0-9]+ bytes of 300 items; expected at most 200,000"):
        items(store, lists, fields='[["x","kind"]]')


def test_zip_of_different_lengths_says_which(store):
    with pytest.raises(DataError, match=r"different lengths \(x: 1, y: 2\).*cut them to one length"):
        items(store, {"x": {"v": [1]}, "y": {"v": [3, 4]}}, "zip")


def test_kwargs_gives_each_item_its_own_arguments_beside_those_of_all(store):
    assert items(store, {"**": {"v": [{"x": 1}, {"x": 2, "y": None}]}}, "kwargs") == {"n": 2, "b": 2}
    args = {"all": {"v": 0}, "**": {"kw": {"i": "m", "k": "", "d": 0}}}
    assert item(store, 0, args) == {"all": 0, "x": 1}
    assert item(store, 1, args) == {"all": 0, "x": 2, "y": None}
    # In the body of a group each parameter is read by its name.
    inner = event("m.t", args=X, run={"index": "1"}, call=f"{MODULE}:double")
    assert invoke(inner, store)["value"] == "4"
    with pytest.raises(DataError, match="the item has no argument 'y'; it has x"):
        item(store, 0, XY)


def test_an_argument_of_an_item_that_all_items_have_is_refused(store):
    items(store, {"**": {"v": [{"x": 1}]}}, "kwargs")
    with pytest.raises(DataError, match="gives 'x', which is given to all items already"):
        item(store, 0, {"x": {"v": 0}, "**": {"kw": {"i": "m", "k": "", "d": 0}}})


@pytest.mark.parametrize("members", [[1], [{"x": 1}, "x"]])
def test_kwargs_of_something_else_than_dicts_names_the_item(store, members):
    with pytest.raises(DataError, match=rf"item {len(members) - 1} of expand_kwargs: expected a dict"):
        items(store, {"**": {"v": members}}, "kwargs")


@pytest.mark.parametrize("value, name", [("abc", "str"), ({"a": 1}, "dict"), (3, "int"), (None, "NoneType")])
def test_something_that_is_no_list_is_refused_by_its_type(store, value, name):
    with pytest.raises(
        DataError, match=f"mapped task 'm': argument 'x' of expand is a {name}; expected a list"
    ):
        items(store, {"x": {"v": value}})


def test_arrays_and_tuples_are_lists_too(store):
    for kind in ("array", "tuple", "range", "series"):
        invoke(event(kind, args={"kind": {"v": kind}}, call=f"{MODULE}:made"), store)
        assert items(store, {"x": {"t": kind}})["n"] == 2
    invoke(event("frame", args={"kind": {"v": "frame"}}, call=f"{MODULE}:made"), store)
    with pytest.raises(DataError, match="is a DataFrame"):
        items(store, {"x": {"t": "frame"}})


def test_items_that_are_no_json_are_kept_as_what_they_are(store):
    invoke(event("up", args={"kind": {"v": "arrays"}}, call=f"{MODULE}:made"), store)
    assert items(store, {"x": {"t": "up"}}) == {"n": 2, "b": 2}
    assert item(store, 1, X, "length_of") == 4


def test_an_item_that_cannot_be_stored_says_where_it_is(store, monkeypatch):
    import threading

    monkeypatch.setattr(
        "stepweave.runtime.inputs.Inputs.lists", lambda self: {"x": [1, {"k": threading.Lock()}]}
    )
    with pytest.raises(PermanentError, match=r"an item of mapped task 'm' cannot be stored: item 1\['k'\]"):
        items(store, {})


def test_no_items_is_no_mistake(store):
    assert items(store, {"x": {"v": []}}) == {"n": 0, "b": 0}
    assert items(store, {"x": {"v": []}, "y": {"v": [1]}}) == {"n": 0, "b": 0}


def test_batches_are_counted_and_too_many_say_which_size_would_do(store):
    assert items(store, {"x": {"v": [0] * 25}}, batch=10) == {"n": 25, "b": 3}
    many = {"x": {"v": [0] * 300}, "y": {"v": [0] * 300}}
    with pytest.raises(DataError, match=r"invoked 90,000 times; expected at most 40,000.*batch_size=3"):
        items(store, many)


@pytest.mark.parametrize(
    "how, lists, label, expected",
    [
        ("product", {"x": {"v": ["a", 2]}}, "x", ["a", "2"]),
        ("product", {"x": {"v": [{"name": "one"}, {"other": 1}]}}, "name", ["one", "1"]),
        ("kwargs", {"**": {"v": [{"x": 1, "lr": 0.1}]}}, "lr", ["0.1"]),
    ],
)
def test_labels_name_the_items_for_people(store, how, lists, label, expected):
    items(store, lists, how, label=label)
    assert json.loads(store.get("runs/sales/r1/m/items.json"))["labels"] == expected


def test_an_item_reads_one_chunk_and_neighbours_share_it(store):
    count = 2 * CHUNK + 1
    items(store, {"x": {"v": list(range(count))}})
    read = []

    class Counting:
        def __getattr__(self, name):
            return getattr(store, name)

        def get_or_none(self, key):
            read.append(key)
            return store.get_or_none(key)

    values = [
        item(Counting(), number, X, "double", execution="e1") for number in (CHUNK, CHUNK + 1, count - 1)
    ]
    assert values == [2 * CHUNK, 2 * CHUNK + 2, 2 * count - 2]
    assert read == ["runs/sales/r1/m/items/1.json", "runs/sales/r1/m/items/2.json"]


def test_an_item_beyond_the_last_is_an_error_that_says_so(store):
    items(store, {"x": {"v": [1]}})
    with pytest.raises(DataError, match="there is no item 1"):
        item(store, 1, X)
    with pytest.raises(DataError, match=r"expected the object 'runs/sales/r1/m/items/7.json'"):
        item(store, 7 * CHUNK, X)


def test_a_resumed_run_runs_only_the_items_that_have_changed(store):
    items(store, {"x": {"v": [1, 2, 3]}}, run={"execution": "e1"})
    for number in range(3):
        item(store, number, X, "double", execution="e1")
    again = {"execution": "e2", "resume": True}
    items(store, {"x": {"v": [1, 5, 3]}}, run=again)
    control_tasks.calls.clear()
    assert [item(store, number, X, "double", **again) for number in range(3)] == [2, 10, 6]
    assert control_tasks.calls == [5]


def test_items_of_lists_written_in_the_dag_are_picked_and_change_by_themselves(store):
    invoke(event("up", "give", {"value": {"v": 7}}), store)

    def picks(*values):
        return {"x": {"pick": [*({"v": value} for value in values), {"t": "up"}], "div": 2, "d": 0}}

    assert [item(store, number, picks(1, 2), "double") for number in range(6)] == [2, 2, 4, 4, 14, 14]
    control_tasks.calls.clear()
    assert item(store, 0, picks(1, 9), "double", resume=True) == 2
    assert item(store, 2, picks(1, 9), "double", resume=True) == 18
    assert control_tasks.calls == [9]


def test_a_picked_dict_may_be_a_part_or_all_keyword_arguments(store):
    pick = {"pick": [{"v": {"x": 4}}], "div": 1, "d": 0}
    assert item(store, 0, {"x": {**pick, "p": ["x"]}}, "double") == 8
    assert item(store, 1, {"**": {"kw": pick}}, "double") == 8


def test_the_context_knows_the_index_path(store):
    asked = event("t", call=f"{MODULE}:where", run={"index": "3/0"})
    assert json.loads(invoke(asked, store)["value"]) == {"indexes": [3, 0], "index": 0, "path": "3/0"}
    assert json.loads(invoke(event("u", call=f"{MODULE}:where"), store)["value"]) == {
        "indexes": [],
        "index": None,
        "path": "",
    }
    envelope = json.loads(store.get("runs/sales/r1/t/3/0/result.json"))
    assert envelope["index"] == "3/0"


def test_items_that_were_cut_short_are_written_down_by_the_next_attempt(store):
    lists = {"x": {"v": list(range(CHUNK + 1))}}
    assert killed_at_each_write(lambda store: items(store, lists), store) == 3
    assert item(store, CHUNK, X, "double") == 2 * CHUNK
