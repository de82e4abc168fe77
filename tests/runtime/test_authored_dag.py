"""The runtime finds what `@task` and `@dag` made."""

import json

from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime.sample_dag import sample


def events(**run):
    graph = sample.graph()
    made = {"dag": graph.dag.id, "id": "r1", "params": {"rate": 2}, **run}
    return [
        {"task": task.id, "call": task.call, "run": made, "args": "graph", "inline": 4096}
        for task in graph.tasks
    ]


def test_tasks_of_a_dag_run_one_after_the_other_from_the_graph_alone(tmp_path):
    store = open_store(tmp_path)
    records = [invoke(event, store) for event in events()]
    assert [json.loads(record["value"]) for record in records] == [{"rate": 2.0}, 7.0]


def test_a_task_inside_a_function_is_found_by_tracing():
    calls = [event["call"] for event in events()]
    assert calls == ["tests.runtime.sample_dag:load", "tests.runtime.sample_dag:sample#scale"]
