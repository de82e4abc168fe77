"""The cost of a run that has ended: measured lengths, attempts, items and decisions."""

from __future__ import annotations

import pytest

from stepweave import Else, If, dag, task
from stepweave.embedded.taskruns import Items, TaskRun
from stepweave.graph.model import Graph
from stepweave.simulation.replaying import replay
from stepweave.simulation.simulating import estimate


@task
def numbers() -> list[int]:
    return [1]


@task
def square(x: int) -> int:
    return x


@task
def total(values: list[int]) -> dict[str, int]:
    return {"n": sum(values)}


@task
def many() -> None: ...


@task
def few() -> None: ...


@dag
def counted() -> None:
    found = total(square.expand(x=numbers()))
    with If(found["n"] > 3, id="enough"):
        many()
    with Else():
        few()


@pytest.fixture(scope="module")
def graph() -> Graph:
    return counted.graph()


def ran(task_id: str, seconds: float, attempts: int = 1, index: str = "") -> TaskRun:
    run = TaskRun(task_id, "success", attempts, index=index)
    run.started, run.ended = 100.0, 100.0 + seconds
    return run


def a_run(attempts: int = 1, items: int = 3) -> list[TaskRun]:
    node = ran("square", 9, 0)
    node.items = Items(items, success=items)
    decided = TaskRun("enough", "success", 0)
    decided.chosen = ("else",)
    decided.ended = 100.0
    return [
        ran("numbers", 1, attempts),
        node,
        *(ran("square", 2, index=str(number)) for number in range(items)),
        ran("total", 1),
        decided,
        ran("few", 4),
        TaskRun("many", "skipped"),
    ]


def test_every_attempt_counts_with_its_length_and_what_did_not_run_does_not(graph: Graph) -> None:
    work = replay(graph, a_run()).work
    assert sorted(work.calls) == [("few", 4.0), ("numbers", 1.0), *[("square", 2.0)] * 3, ("total", 1.0)]


def test_the_transitions_are_those_of_as_many_items_and_the_same_decision(graph: Graph) -> None:
    simulated = estimate(graph, {}, items={"square": 3}, chosen={"enough": "else"})
    assert replay(graph, a_run()).work.transitions == simulated.work.transitions
    assert replay(graph, a_run(items=5)).work.transitions > simulated.work.transitions


def test_a_further_attempt_is_one_more_transition_and_one_more_call(graph: Graph) -> None:
    once, twice = replay(graph, a_run()).work, replay(graph, a_run(attempts=3)).work
    assert twice.transitions == once.transitions + 2
    assert len(twice.calls) == len(once.calls) + 2


def test_a_result_that_was_reused_costs_nothing_again(graph: Graph) -> None:
    runs = a_run()
    runs[0].reused = True
    assert "numbers" not in replay(graph, runs).usage.tasks


def test_each_execution_of_a_resumed_run_makes_its_transitions_and_is_started_and_recorded(
    graph: Graph,
) -> None:
    once, twice = replay(graph, a_run()), replay(graph, a_run(), executions=2)
    assert twice.work.transitions == 2 * once.work.transitions
    assert twice.work.calls == once.work.calls
    assert twice.usage.around.usd() > once.usage.around.usd()


def test_items_that_nobody_looked_at_count_like_the_others(graph: Graph) -> None:
    runs = a_run(items=2)
    assert runs[1].items is not None
    runs[1].items = Items(1_000, success=1_000)
    squares = [call for call in replay(graph, runs).work.calls if call[0] == "square"]
    assert squares == [("square", 2.0)] * 1_000
