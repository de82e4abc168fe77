"""Arguments that are too many to travel are found in the traced DAG, wherever the task and the DAG are."""

import json
from pathlib import Path

import pytest

from stepweave.compiler import compile_graph
from stepweave.errors import PermanentError
from stepweave.loading import all_dags
from stepweave.runtime.graph_arguments import specs_from_graph
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import mapping_dag
from tests.runtime.events import event

EXAMPLES = all_dags(str(Path(__file__).parents[2] / "statemachines" / "examples"))


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def run(store, task, call, index="", **parts):
    parts.setdefault("run", {})
    info = {"dag": "mapping", "params": {"factor": 3}, "index": index, **parts.pop("run")}
    asked = event(task, run=info, call=f"tests.runtime.{call}", **parts)
    return invoke({**asked, "args": "graph"}, store)


def run_all(store):
    run(store, "numbers", "mapping_dag:numbers")
    assert run(store, "group", "mapping_dag:numbers", items={"how": "product"}) == {"n": 3, "b": 3}
    for item in range(3):
        run(store, "group.scale", "mapping_dag:scale", str(item))
    for item in range(2):
        run(store, "shift", "mapping_dag:shift", str(item))


def test_items_bodies_and_mapped_values_are_found(store):
    run_all(store)
    assert run(store, "total", "mapping_dag:total")["value"] == json.dumps(3 + 6 + 9 + 11 + 12)


def test_a_task_of_another_module_is_found_through_the_module_of_the_dag(store):
    run_all(store)
    found = run(store, "hand_back", "control_tasks:hand_back", module="tests.runtime.mapping_dag")
    assert json.loads(found["value"]) == [3, 6, 9]
    with pytest.raises(PermanentError, match=r"module 'tests.runtime.control_tasks' has no DAG 'mapping'"):
        run(store, "hand_back", "control_tasks:hand_back", run={"id": "r2"})


def test_a_dag_that_a_factory_made_is_found_by_its_id(store):
    made = {"dag": "made_2", "params": {}}
    asked = {**event("two", run=made, call="tests.runtime.mapping_dag:made_2#two"), "args": "graph"}
    assert invoke(asked, store)["value"] == "2"
    elsewhere = {**event("numbers", run=made, call="tests.runtime.mapping_dag:numbers"), "args": "graph"}
    assert invoke(elsewhere, store)["value"] == "[1,2,3]"
    assert not hasattr(mapping_dag, "made_2")


def events_in(definition):
    stack = [definition]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            if {"task", "call", "args"} <= one.keys() and not {"nested", "undo"} & one.keys():
                yield one
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_the_arguments_that_travel_are_those_that_the_dag_gives(example):
    graph = example.graph()
    sent = [
        event
        for definition in compile_graph(graph).machines.definitions.values()
        for event in events_in(definition)
    ]
    assert sent
    for asked in sent:
        traced = specs_from_graph(graph, asked["task"], lists="items" in asked)
        assert json.loads(asked["args"]) == traced
