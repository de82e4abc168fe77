import json

import pytest

from stepweave.errors import PermanentError
from stepweave.graph.constructs import Expansion
from stepweave.graph.model import DagInfo, FromTask, Graph, Task
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks, sample_tasks
from tests.runtime.events import event

MODULE = control_tasks.__name__
STATE = {
    "s": {
        "start": {"r": "first"},
        "carry": {"d": {"n": {"t": "l.t", "d": 1}, "old": {"s": {}, "d": 0, "p": ["n"]}}},
    },
    "d": 0,
}


@pytest.fixture
def store(tmp_path):
    control_tasks.calls.clear()
    return open_store(tmp_path / "store")


def run_round(store, number, value, **run):
    asked = event("l.t", "give", {"value": {"v": value}}, run={"index": str(number), **run})
    return invoke(asked, store)


def read(store, spec, task="b", **parts):
    asked = event(task, args={"x": spec}, call=f"{MODULE}:note", **parts)
    return json.loads(invoke(asked, store)["value"])["x"]


def test_the_state_of_the_first_round_is_where_the_loop_starts(store):
    run = {"index": "0", "params": {"first": {"n": 9}}}
    assert read(store, STATE, run=run) == {"n": 9}
    assert read(store, {**STATE, "p": ["n"]}, task="c", run=run) == 9


def test_the_state_of_a_later_round_is_what_the_round_before_carried(store):
    params = {"first": {"n": 9}}
    run_round(store, 0, 10)
    run_round(store, 1, 11)
    assert read(store, STATE, run={"index": "1", "params": params}) == {"n": 10, "old": 9}
    assert read(store, STATE, run={"index": "2", "params": params}) == {"n": 11, "old": 10}


def test_a_record_at_hand_is_that_of_this_round_and_not_of_the_one_before(store):
    run_round(store, 0, 10)
    parts = {"records": {"l.t": {"status": "success", "value": "77"}}}
    run = {"index": "1", "params": {"first": {"n": 9}}}
    both = {"l": [{"t": "l.t", "d": 1}, {**STATE, "p": ["n"]}]}
    assert read(store, both, run=run, **parts) == [77, 10]


def test_the_number_of_the_round_is_a_value(store):
    assert read(store, {"c": 1}, run={"index": "3/5"}) == 5
    with pytest.raises(PermanentError, match=r"of the item at depth 2, but the index path is '3/5'"):
        read(store, {"c": 2}, task="c", run={"index": "3/5"})


def test_the_value_of_a_loop_is_that_of_its_last_round(store):
    for number in range(3):
        run_round(store, number, number * 10)
    last = {"last": {"t": "l.t", "d": 1}, "of": "l", "d": 0}
    assert read(store, {**last, "x": 0}, values=[1]) == 10
    # Without the number: the last round that the store knows.
    assert read(store, last, task="c") == 20
    assert read(store, {"part": {"d": {"k": {**last, "x": 0}}}, "p": ["k"]}, task="d", values=[2]) == 20


def test_a_loop_inside_a_mapped_group_is_read_item_by_item(store):
    for path, value in [("0/0", 1), ("0/1", 2), ("1/0", 3)]:
        invoke(event("l.t", "give", {"value": {"v": value}}, run={"index": path}), store)
    spec = {"m": {"last": {"t": "l.t", "d": 2}, "of": "l", "d": 1}, "of": "g", "d": 0, "n": 3}
    assert read(store, spec) == [2, 3]


def test_a_resumed_run_runs_a_round_again_when_its_state_has_changed(store):
    params = {"first": {"n": 9}}
    run_round(store, 0, 10)
    read(store, STATE, run={"index": "1", "params": params})
    run_round(store, 1, 5)
    read(store, STATE, run={"index": "1", "params": params, "resume": True})
    assert len(control_tasks.calls) == 1
    run_round(store, 0, 12, resume=True)
    assert read(store, STATE, run={"index": "1", "params": params, "resume": True}) == {"n": 12, "old": 9}
    assert len(control_tasks.calls) == 2


def test_long_loops_hand_their_state_on_through_all_rounds(store):
    rounds = 300
    for number in range(rounds):
        run_round(store, number, number)
    carry = {"d": {"n": {"t": "l.t", "d": 1}, "first": {"s": {}, "d": 0, "p": ["first"]}}}
    state = {"s": {"start": {"v": {"first": "seed"}}, "carry": carry}, "d": 0}
    assert read(store, state, run={"index": str(rounds)}) == {"n": rounds - 1, "first": "seed"}


def test_values_from_outside_of_a_body_that_do_not_exist_are_none(store):
    assert read(store, {"t": "outer"}, run={"index": "0"}) is None
    invoke(event("outer", "give", {"value": {"v": 3}}), store)
    assert read(store, {"t": "outer"}, task="c", run={"index": "0"}) == 3


def test_the_value_of_a_nested_dag_is_read_from_its_run(store, monkeypatch):
    child = {"dag": "other", "id": "r1.child"}
    invoke(event("fit", "give", {"value": {"v": {"auc": 0.5}}}, run=child), store)
    spec = {"n": {"t": "fit", "p": ["auc"]}, "dag": "other", "call": f"{MODULE}:other", "of": "child"}
    assert read(store, spec) == 0.5
    inside = {**child, "id": "r1.child.4"}
    invoke(event("fit", "give", {"value": {"v": {"auc": 0.7}}}, run=inside), store)
    assert read(store, {**spec, "d": 1}, task="c", run={"index": "4"}) == 0.7


def nested_dag(monkeypatch):
    expansion = Expansion(how="product", arguments=(("x", FromTask(task="up")),))
    tasks = (Task(id="up", call="m:f"), Task(id="m", call="m:f", upstream=("up",), expansion=expansion))
    dag = sample_tasks.SampleDag(Graph(dag=DagInfo(id="other"), tasks=tasks), {})
    monkeypatch.setattr(control_tasks, "other", dag, raising=False)


def run_nested(store):
    child = {"dag": "other", "id": "r1.child"}
    invoke(event("m", args={"x": {"v": [1, 2]}}, items={"how": "product"}, run=child), store)
    for number in range(2):
        asked = event("m", "give", {"value": {"v": {"k": number}}}, run={**child, "index": str(number)})
        invoke(asked, store)


def test_a_mapped_value_of_a_nested_dag_is_put_together_as_that_dag_says(store, monkeypatch):
    nested_dag(monkeypatch)
    run_nested(store)
    spec = {"n": {"t": "m", "p": [1]}, "dag": "other", "call": f"{MODULE}:other", "of": "child"}
    assert read(store, spec) == {"k": 1}


def test_the_parts_of_a_nested_dags_value_that_expressions_read_are_collected(store, monkeypatch):
    nested_dag(monkeypatch)
    run_nested(store)
    nested = {"dag": "other", "call": f"{MODULE}:other", "run": "r1.child"}
    there = {"dag": "other", "call": f"{MODULE}:other", "of": "child"}
    whole, first = {"n": {"t": "m"}, **there}, {"n": {"t": "m", "p": [0]}, **there}
    value = {"d": {"all": whole, "list": {"l": [{"v": 1}, first]}}}
    asked = event(
        "child", args={"value": value}, nested=nested, fields='[["all",1,"k"],["list",0]]', collect=True
    )
    assert invoke(asked, store) == {"status": "success", "fields": {"all.1.k": 1, "list.0": 1}}


def test_a_spec_of_an_unknown_kind_is_named(store):
    with pytest.raises(PermanentError, match="unknown spec"):
        read(store, {"zzz": 1})


@pytest.mark.parametrize("parts", [{"values": [None]}, {"values": [0], "upstream": {"l": "failed"}}])
def test_a_loop_that_failed_or_did_not_run_has_no_value(store, parts):
    run_round(store, 0, 10)
    last = {"last": {"t": "l.t", "d": 1}, "of": "l", "d": 0, "x": 0}
    assert read(store, last, **parts) is None
    assert read(store, {"part": last, "p": ["k"]}, task="c", **parts) is None


def test_a_nested_dag_that_failed_or_returned_nothing_has_no_value(store):
    spec = {"n": {"t": "fit"}, "dag": "other", "call": f"{MODULE}:other", "of": "child"}
    invoke(event("fit", "give", {"value": {"v": 1}}, run={"dag": "other", "id": "r1.child"}), store)
    assert read(store, spec, upstream={"child": "failed"}) is None
