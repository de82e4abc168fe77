"""What a task, and the end of a run, is in the machine: the same states in an interpreter that others wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import sfnx.testing as other

from stepweave.engine.failures import FunctionError
from stepweave.graph.constructs import Approval, Rung
from stepweave.graph.model import Graph, Literal, Resources, RetryPolicy
from tests.asl.scripted import SUCCESS, dag, error, run_scripted, task

AGAIN = RetryPolicy(attempts=2, delay_seconds=10, backoff=1.0, jitter=False)
BIGGER = Rung(call="m:a", resources=Resources(memory_mib=8_192), on="resource")
LESSER = Rung(call="m:b", resources=Resources())
BAD = error("DataError")
REJECTED = {"status": "success", "value": "{}", "fields": {"approved": False}}


def asks(**options: Any) -> Approval:
    return Approval(message=Literal(json='"?"'), **options)


CASES: dict[str, tuple[Graph, dict[str, list[Any]], str]] = {
    "put off": (
        dag(task("a", retry=AGAIN), task("b", "a", retry=AGAIN)),
        {"a": [error("RetryAfter", seconds=5), error("TransientError"), SUCCESS]},
        "",
    ),
    "ladder": (
        dag(task("a", ladder=(BIGGER, LESSER)), task("b", "a")),
        {"a": [error("Runtime.ExitError"), BAD, SUCCESS]},
        "",
    ),
    "ladder and skip": (dag(task("a", ladder=(LESSER,)), task("b", "a")), {"a": [error("Skip")]}, ""),
    "won": (dag(task("a", hedge_seconds=60), task("b", "a")), {}, ""),
    "won at the end": (dag(task("a", hedge_seconds=60), task("b")), {}, ""),
    "race and skip": (
        dag(task("a", hedge_seconds=60), task("b", "a", trigger_rule="all_skipped")),
        {"a": [error("Skip")]},
        "",
    ),
    "quorum": (dag(task("a", replicas=2, quorum=2), task("b", "a")), {"a": [SUCCESS, BAD, SUCCESS]}, ""),
    "optional": (dag(task("a", optional=True), task("b", "a", trigger_rule="none_failed")), {"a": [BAD]}, ""),
    "stopped": (
        dag(task("a"), task("b", "a", trigger_rule="all_done"), max_failed_tasks=0),
        {"a": [BAD], "b": [error("RunStopped")]},
        "",
    ),
    "compensation": (
        dag(task("a", compensate="m:u"), task("b", "a"), retries=1, on_failure="m:t"),
        {"b": [BAD, BAD], "a": [SUCCESS, SUCCESS, BAD]},
        "",
    ),
    "going on": (
        dag(task("a"), task("b", "a"), retries=1, on_success="m:t"),
        {"b": [BAD, SUCCESS]},
        "",
    ),
    "cleaning up": (
        dag(
            task("a", setup=True, compensate="m:u"),
            task("b", "a", teardown=True, trigger_rule="all_done_setup_success"),
        ),
        {"b": [BAD]},
        "cleanup",
    ),
    "rejected": (
        dag(task("a", approval=asks(on_reject="skip")), task("b", "a", trigger_rule="all_skipped")),
        {"a": [REJECTED]},
        "",
    ),
    "rejection that fails": (dag(task("a", approval=asks()), task("b", "a")), {"a": [REJECTED]}, ""),
}


def in_sfnx(definition: Mapping[str, Any], answers: Mapping[str, list[Any]]) -> tuple[tuple[str, ...], Any]:
    """States entered, and error and cause."""
    left = {name: list(given) for name, given in answers.items()}

    def serve(call: other.Call) -> Any:
        payload = call.arguments["Payload"]
        answer = (left.get(payload["task"]) or [SUCCESS]).pop(0)
        if isinstance(answer, FunctionError):
            raise other.Failure(answer.error, answer.cause)
        return answer if "token" in payload else {"Payload": answer, "StatusCode": 200}

    done = other.run(dict(definition), {"run_id": "r"}, serve)
    return tuple(done.states), (done.error, done.cause) if done.error is not None else done.output


@pytest.mark.parametrize("name", CASES)
def test_other_interpreters_enter_the_same_states(name: str) -> None:
    graph, answers, machine = CASES[name]
    left = {task_id: list(given) for task_id, given in answers.items()}

    def answer(event: dict[str, Any]) -> Any:
        return (left.get(event["task"]) or [SUCCESS]).pop(0)

    ours = run_scripted(
        graph, dict.fromkeys(answers, answer), people=answer, start=machine, given={"run_id": "r"}
    )
    ending: Any = (ours.execution.error, ours.execution.cause)
    if ours.execution.status == "SUCCEEDED":
        ending = json.loads(json.dumps(ours.execution.output))
    states, theirs = in_sfnx(ours.compiled.machines.definitions[machine], answers)
    # In sfnx no time passes: a branch runs to its end before the next one begins.
    assert (sorted(set(states)), theirs) == (sorted(set(_begun(ours.states))), ending)


def _begun(states: list[str]) -> list[str]:
    """The states entered, but for the waits of attempts that the first one made needless."""
    return [name for name in states if ": hedge" not in name]
