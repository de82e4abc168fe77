"""fail_fast: the first failure ends the run with its own error; a skip is no failure."""

from __future__ import annotations

from typing import Any

import pytest

from stepweave.graph.model import DagInfo, Graph, Task
from stepweave.validation.definition import validate
from tests.asl.running import Ran, run_graph


def task(name: str, *upstream: str, **facts: Any) -> Task:
    return Task(id=name, call="m:f", upstream=upstream, **facts)


def run(*tasks: Task, **given: Any) -> Ran:
    ran = run_graph(Graph(dag=DagInfo(id="dag", fail_fast=True), tasks=tasks), **given)
    assert all(validate(definition) == () for definition in ran.compiled.machines.definitions.values())
    return ran


def test_a_failure_ends_the_run_with_its_own_error() -> None:
    ran = run(task("a"), task("b"), task("c", "a", "b"), fate={"b": "failed"})
    assert (ran.execution.status, ran.execution.error) == ("FAILED", "PermanentError")


@pytest.mark.parametrize("skipped", ["a", "b", "c"])
def test_a_skip_skips_what_needs_the_task_and_the_run_succeeds(skipped: str) -> None:
    ran = run(
        task("a"), task("b"), task("c", "a", "b"), task("d", "c", trigger_rule="none_failed"),
        fate={skipped: "skipped"},
    )  # fmt: skip
    assert (ran.execution.status, ran.execution.error) == ("SUCCEEDED", None)
    assert set(ran.started) == {"a", "b", "d"} | ({"c"} if skipped == "c" else set())


def test_a_skip_reaches_a_task_behind_a_gate() -> None:
    tasks = (task("a"), task("b"), task("c", "a", "b"), task("d", "b"))
    ran = run(*tasks, fate={"a": "skipped"})
    assert (ran.execution.status, set(ran.started)) == ("SUCCEEDED", {"a", "b", "d"})
    ran = run(*tasks, fate={"b": "skipped"})
    assert (ran.execution.status, set(ran.started)) == ("SUCCEEDED", {"a", "b"})


def test_a_last_task_that_its_rule_skips_leaves_the_run_successful() -> None:
    ran = run(task("a"), task("b", "a", trigger_rule="all_skipped"))
    assert (ran.execution.status, set(ran.started)) == ("SUCCEEDED", {"a"})
