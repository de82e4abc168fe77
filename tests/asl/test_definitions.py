"""What a definition looks like: transitions, payloads, names, retries, budgets, bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepweave.asl import names
from stepweave.asl.measure import every_state
from stepweave.compiler import compile_graph
from stepweave.graph.model import (
    DagInfo,
    Expression,
    FromParam,
    FromTask,
    Graph,
    ListOf,
    Literal,
    ParamSpec,
    Resources,
    RetryPolicy,
    Task,
)
from tests.asl.running import run_graph
from tests.graphs import big_specs, graph_of


def states_of(graph: Graph) -> dict[str, Any]:
    return dict(every_state(compile_graph(graph).machines.definitions[""]))


def one(**options: Any) -> Graph:
    return Graph(dag=DagInfo(id="dag"), tasks=(Task(id="a", call="m:a", **options),))


def test_a_chain_costs_one_transition_per_task_and_one_for_the_start() -> None:
    for length in (1, 5, 50):
        assert compile_graph(graph_of(big_specs(length)["chain"])).report.transitions == length + 1


def test_a_join_that_may_see_failures_costs_one_transition() -> None:
    report = compile_graph(graph_of({"a": [], "b": [], "c": ["a", "b"]})).report
    assert report.transitions == 1 + 1 + 2 + 1 + 1  # start, Parallel, a and b, the check, c


def test_states_carry_the_ids_of_the_tasks_and_their_docs() -> None:
    state = states_of(one(doc="Loads the orders.\n\nFrom the warehouse."))["a"]
    assert state["Comment"] == "Loads the orders."


def test_retries_are_native_with_ceiling_and_jitter() -> None:
    policy = RetryPolicy(
        attempts=4, delay_seconds=7, backoff=3.0, max_delay_seconds=100, jitter=True, on=("DataError",)
    )
    assert states_of(one(retry=policy))["a"]["Retry"][0] == {
        "ErrorEquals": ["DataError"],
        "IntervalSeconds": 7,
        "BackoffRate": 3.0,
        "MaxAttempts": 4,
        "MaxDelaySeconds": 100,
        "JitterStrategy": "FULL",
    }


def test_a_task_has_the_timeout_it_asks_for() -> None:
    assert states_of(one(timeout_seconds=30))["a"]["TimeoutSeconds"] == 30


def test_literals_travel_as_text_and_keep_their_type() -> None:
    state = states_of(one(arguments=(("x", Literal(json="1.0")), ("y", Literal(json='"{% $run %}"')))))["a"]
    args = state["Arguments"]["Payload"]["args"]
    assert args.startswith('{"x":{"v":1.0}')
    assert json.loads(args)["y"] == {"v": "{% $run %}"}


def test_records_of_upstream_tasks_are_handed_over_where_they_are_at_hand() -> None:
    result = run_graph(graph_of({"a": [], "b": ["a"], "c": ["b"], "d": ["b"], "e": ["a", "c", "d"]}))
    assert result.events["e"]["records"]["a"] == {"status": "success", "value": '"a"'}
    assert set(result.events["e"]["records"]) == {"a", "c", "d"}


def test_a_record_met_at_a_gate_brings_its_value() -> None:
    result = run_graph(graph_of({"a": [], "b": [], "c": ["a", "b"], "d": ["b"]}))
    assert result.events["c"]["records"]["b"] == {"status": "success", "value": '"b"'}


def test_expressions_are_evaluated_by_the_machine_from_fields_and_params() -> None:
    text = Expression(
        text="$_0_ * 2 >= $_1_", operands=(FromTask(task="a", path=("m", "auc")), FromParam(param="limit"))
    )
    tasks = (
        Task(id="a", call="m:a", fields=(("m", "auc"),)),
        Task(id="b", call="m:b", upstream=("a",), arguments=(("flag", text),)),
    )
    dag = DagInfo(id="dag", params=(ParamSpec(name="limit", default_json="1"),))
    records = {"a": {"status": "success", "value": "{}", "fields": {"m.auc": 0.6}}}
    result = run_graph(Graph(dag=dag, tasks=tasks), records=records)
    assert result.events["b"]["values"] == [True]
    assert json.loads(result.events["a"]["fields"]) == [["m", "auc"]]


def test_a_field_named_like_an_operand_mark_is_read_as_a_field() -> None:
    text = Expression(
        text="$_0_ & $_1_", operands=(FromTask(task="a", path=("$_1_",)), FromTask(task="a", path=("k",)))
    )
    tasks = (
        Task(id="a", call="m:a", fields=(("$_1_",), ("k",))),
        Task(id="b", call="m:b", upstream=("a",), arguments=(("both", text),)),
    )
    records = {"a": {"status": "success", "value": "{}", "fields": {"$_1_": "x", "k": "y"}}}
    result = run_graph(Graph(dag=DagInfo(id="dag"), tasks=tasks), records=records)
    assert result.events["b"]["values"] == ["xy"]


def test_params_have_their_defaults_whatever_the_text() -> None:
    hostile = "it's {% $x %} and ${Y} \\ \" \n"
    dag = DagInfo(id="dag", params=(ParamSpec(name="p", default_json=json.dumps(hostile)),))
    result = run_graph(
        Graph(dag=dag, tasks=(Task(id="a", call="m:a", arguments=(("p", FromParam(param="p")),)),))
    )
    assert result.events["a"]["run"]["params"] == {"p": hostile}


def test_very_many_arguments_are_found_by_tracing() -> None:
    count = 2_000
    sources = tuple(Task(id=f"source_{i:04}", call="m:s") for i in range(count))
    values = ListOf(items=tuple(FromTask(task=task.id) for task in sources))
    join = Task(id="join", call="m:j", upstream=tuple(t.id for t in sources), arguments=(("values", values),))
    result = run_graph(Graph(dag=DagInfo(id="dag"), tasks=(*sources, join)))
    assert result.events["join"]["args"] == "graph"
    assert "records" not in result.events["join"]


def test_the_inline_budget_shrinks_with_the_fan_in() -> None:
    small = run_graph(graph_of(big_specs(5)["fan_out"])).events["t1"]["inline"]
    large = run_graph(graph_of(big_specs(200)["fan_out"])).events["t1"]["inline"]
    assert small > large
    assert large * 198 < 256 * 1024


def test_a_gpu_task_is_prepared_and_then_submitted_to_batch() -> None:
    states = states_of(one(resources=Resources(gpu=1), timeout_seconds=3_600))
    job = states["a"]
    assert states["a: prepare"]["Arguments"]["Payload"]["prepare"] is True
    assert job["Resource"] == "arn:aws:states:::batch:submitJob.sync"
    assert job["Arguments"]["JobQueue"] == "${JobQueue_gpu}"
    assert job["Arguments"]["ShareIdentifier"] == "dag"
    assert [pair["Name"] for pair in job["Arguments"]["ContainerOverrides"]["Environment"]] == [
        "STEPWEAVE_INPUT",
        "STEPWEAVE_RETRY",
    ]
    assert states["a: prepare"]["Catch"][0] == {"ErrorEquals": ["Reused"], "Next": "a: collect"}
    assert job["Catch"][0] == {"ErrorEquals": ["States.TaskFailed"], "Next": "a: collect"}
    assert [retrier["ErrorEquals"][0] for retrier in job["Retry"]] == ["Batch.AWSBatchException"]
    assert compile_graph(one(resources=Resources(gpu=1))).report.transitions == 3  # start, prepare, job


@pytest.mark.parametrize(
    "dag, share",
    [
        (DagInfo(id="daily-churn_2"), "dailychurn2"),
        (DagInfo(id="churn", owner="Team Süd, ML"), "TeamSdML"),
        (DagInfo(id="_"), "default"),
    ],
)
def test_jobs_count_in_the_share_of_their_owner_or_of_their_dag(dag: DagInfo, share: str) -> None:
    assert names.share(dag) == share


def test_a_batch_task_whose_field_is_read_is_collected() -> None:
    read = Expression(text="$_0_", operands=(FromTask(task="a", path=("x",)),))
    tasks = (
        Task(id="a", call="m:a", compute="batch", fields=(("x",),)),
        Task(id="b", call="m:b", upstream=("a",), arguments=(("x", read),)),
    )
    states = states_of(Graph(dag=DagInfo(id="dag"), tasks=tasks))
    assert states["a: collect"]["Arguments"]["Payload"]["collect"] is True
    assert states["a: prepare"]["Catch"][0]["Next"] == "a: collect"


def test_the_same_graph_gives_the_same_bytes() -> None:
    graph = graph_of(big_specs(200)["random"])
    assert compile_graph(graph).files == compile_graph(graph).files


def test_large_definitions_drop_their_white_space_and_small_ones_keep_it() -> None:
    small = next(iter(compile_graph(graph_of(big_specs(5)["chain"])).files.values()))
    large = next(iter(compile_graph(graph_of(big_specs(600)["chain"])).files.values()))
    assert small.count(b"\n") > 50
    assert large.count(b"\n") == 1


def test_tasks_may_be_called_like_a_state_of_the_machine() -> None:
    spec = {"start": [], "failed": ["start"], "succeeded": ["start"], "run": ["failed", "succeeded"]}
    result = run_graph(graph_of(spec))
    assert result.execution.status == "SUCCEEDED"
    assert set(result.started) == set(spec)


def test_the_cause_of_a_failed_run_leaves_out_what_was_skipped() -> None:
    result = run_graph(graph_of({"a": [], "b": [], "c": ["a", "b"]}), fate={"a": "skipped", "b": "failed"})
    assert result.execution.cause == "failed: b"


def test_a_tear_down_is_told_to_run_again_on_resume() -> None:
    tasks = (
        Task(id="a", call="m:a"),
        Task(id="z", call="m:z", upstream=("a",), teardown=True, trigger_rule="all_done"),
    )
    result = run_graph(Graph(dag=DagInfo(id="dag"), tasks=tasks))
    assert result.events["z"]["rerun"] is True
    assert result.events["z"]["upstream"] == {}
    assert "rerun" not in result.events["a"]
