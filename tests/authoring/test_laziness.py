"""Lazy tasks: out of the graph when nobody needs them, else run only when one who does runs."""

from __future__ import annotations

from stepweave import If, dag, task
from stepweave.graph.model import Graph
from tests.authoring.written import graph_of, load, show


@task(lazy=True)
def features(rows: object = None) -> dict[str, object]: ...


def deciders(graph: Graph, task: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(guard.decider, guard.cases) for guard in graph[task].guards]


def test_a_lazy_task_that_nobody_needs_is_no_task() -> None:
    def written():
        rows = load()
        features(features(rows))
        show(rows)

    assert [task.id for task in graph_of(written).tasks] == ["load", "show"]


def test_a_lazy_task_runs_only_where_its_one_consumer_does() -> None:
    def written(a: int = 1):
        needed = features(load())
        with If(a > 0):
            show(needed)

    assert deciders(graph_of(written), "features") == [("if", ("if",))]


def test_a_lazy_task_has_the_guards_that_all_consumers_have_in_common() -> None:
    def written(a: int = 1, b: int = 1):
        needed = features(load())
        with If(a > 0):
            with If(b > 0):
                show(needed)
            show(needed)

    assert deciders(graph_of(written), "features") == [("if", ("if",))]


def test_a_lazy_task_that_one_consumer_needs_always_runs_always() -> None:
    def written(a: int = 1):
        needed = features(load())
        with If(a > 0):
            show(needed)
        show(needed)

    assert deciders(graph_of(written), "features") == []


def test_a_lazy_task_before_a_lazy_task_follows_it() -> None:
    def written(a: int = 1):
        needed = features(features(load()))
        with If(a > 0):
            show(needed)

    graph = graph_of(written)

    assert deciders(graph, "features") == deciders(graph, "features__1") == [("if", ("if",))]


def test_a_condition_over_a_lazy_task_needs_it() -> None:
    def written():
        needed = features(load())
        with If(needed["k"] > 0):
            show(needed)

    assert deciders(graph_of(written), "features") == []


def test_what_the_dag_returns_is_needed() -> None:
    @dag
    def returning():
        return features(load())

    assert [task.id for task in returning.graph().tasks] == ["load", "features"]
