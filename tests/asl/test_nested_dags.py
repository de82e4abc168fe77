"""A DAG in an execution of its own: its params, the id of its run, its failure, parts of its value."""

from __future__ import annotations

import json
from typing import Any

from stepweave.asl import retries
from stepweave.compiler import compile_graph
from stepweave.graph.constructs import NestedDag
from stepweave.graph.model import Expression, FromParam, FromTask, ListOf, Literal, RetryPolicy
from tests.asl.scripted import Ran, dag, error, in_turn, run_scripted, task

OTHER = {
    "QueryLanguage": "JSONata",
    "StartAt": "child",
    "States": {
        "child": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {
                "FunctionName": "${TaskRunner}",
                "Payload": {"task": "child", "input": "{% $states.input %}"},
            },
            "End": True,
        }
    },
}
"""The machine of another DAG: one task, which is told the input."""

N_OF_A = Expression(text="$_0_ * 2", operands=(FromTask(task="a", path=("n",)),))


def nested(**options: Any) -> NestedDag:
    return NestedDag(dag="other-dag", call="m:other", **{"params": (), **options})


def run(*tasks: Any, answers: Any = None, **given: Any) -> Ran:
    return run_scripted(dag(*tasks), answers, machines={"Dag_other_dag": OTHER}, given=given)


def test_another_dag_runs_in_an_execution_of_its_own_for_one_transition() -> None:
    ran = run(task("sub", nested=nested()), task("b", "sub"))
    assert (ran.outcome, ran.states) == (("SUCCEEDED", None), ["start run", "sub", "child", "b"])


def test_the_other_dag_gets_its_params_and_a_run_id_of_its_own() -> None:
    params = (
        ("text", Literal(json='"{% $run %}"')),
        ("n", N_OF_A),
        ("all", ListOf(items=(FromParam(param="p"), Literal(json="null")))),
    )
    a = {"status": "success", "fields": {"n": 21}}
    ran = run(
        task("a", fields=(("n",),)),
        task("sub", "a", arguments=(), nested=nested(params=params)),
        answers={"a": a},
        run_id="r1",
        params={"p": [1]},
        logical_date="2026-01-01T00:00:00Z",
    )
    given = ran.of("child")[0]["input"]
    assert given["params"] == {"text": "{% $run %}", "n": 42, "all": [1, None]}
    assert (given["run_id"], given["logical_date"]) == ("r1.sub", "2026-01-01T00:00:00Z")
    assert given["resume"] is False


def test_its_failure_is_that_of_the_node() -> None:
    ran = run(task("sub", nested=nested()), task("b", "sub"), answers={"child": error("DataError")})
    assert (ran.outcome, ran.of("b")) == (("FAILED", "failed: sub"), [])


def test_a_further_attempt_resumes_the_run_of_the_first() -> None:
    policy = RetryPolicy(attempts=1, delay_seconds=9, jitter=False)
    ran = run(
        task("sub", nested=nested(), retry=policy),
        answers={"child": in_turn(error("DataError"), {})},
        run_id="r1",
    )
    assert [event["input"]["resume"] for event in ran.of("child")] == [False, True]
    assert {event["input"]["run_id"] for event in ran.of("child")} == {"r1.sub"}
    assert ran.outcome == ("SUCCEEDED", None)


def test_an_execution_that_does_not_begin_for_now_costs_no_attempt() -> None:
    for_now, policy = retries.of_execution(), RetryPolicy(attempts=1, delay_seconds=9)
    machine = compile_graph(dag(task("sub", nested=nested(), retry=policy))).machines.definitions[""]
    first, second = machine["States"]["sub"]["Retry"]
    # Before the policy's, whose name stands for any error but a time-out.
    assert (first, second["ErrorEquals"]) == (for_now, ["States.TaskFailed"])
    assert "StepFunctions.AWSStepFunctionsException" in first["ErrorEquals"]


def test_a_part_of_its_value_that_a_condition_reads_is_fetched() -> None:
    result = FromTask(task="child")
    test = Expression(text="$_0_", operands=(FromTask(task="sub", path=("auc",)),))
    ran = run(
        task("sub", nested=nested(result=result), fields=(("auc",),)),
        task("b", "sub", arguments=(("x", test),)),
        answers={"sub": {"status": "success", "fields": {"auc": 0.9}}},
        run_id="r1",
    )
    (fetch,) = ran.of("sub")
    assert fetch["nested"] == {"dag": "other-dag", "call": "m:other", "run": "r1.sub"}
    assert fetch["fields"] == '[["auc"]]'
    assert json.loads(fetch["args"])["value"]["of"] == "sub"
    assert ran.of("b")[0]["values"] == [0.9]
    assert ran.transitions == 1 + 1 + 1 + 1 + 1
