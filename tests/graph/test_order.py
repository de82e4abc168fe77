"""Order, neighbours, ancestors and reduction agree with networkx on any DAG."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepweave.errors import DagError
from stepweave.graph.model import DagInfo, Graph, Task
from stepweave.graph.order import (
    ancestors,
    downstream,
    find_cycle,
    sinks,
    sources,
    topological_order,
    transitive_reduction,
)


def graph_of(upstream: dict[str, list[str]]) -> Graph:
    tasks = tuple(Task(id=name, call="m:f", upstream=tuple(ups)) for name, ups in upstream.items())
    return Graph(dag=DagInfo(id="dag"), tasks=tasks)


@st.composite
def edges_in_any_order(draw: st.DrawFn) -> dict[str, list[str]]:
    """A DAG whose tasks are written in any order, upstream first or not."""
    size = draw(st.integers(1, 12))
    ranks = draw(st.permutations(range(size)))
    upstream: dict[str, list[str]] = {}
    for task in range(size):
        before = [other for other in range(size) if ranks[other] < ranks[task]]
        chosen = draw(st.lists(st.sampled_from(before), unique=True)) if before else []
        upstream[f"t{task}"] = [f"t{other}" for other in chosen]
    return upstream


def networkx_of(upstream: dict[str, list[str]]) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(upstream)
    graph.add_edges_from((up, task) for task, ups in upstream.items() for up in ups)
    return graph


@given(edges_in_any_order())
def test_the_order_is_the_first_topological_one_by_the_order_written(upstream: dict[str, list[str]]) -> None:
    written = list(upstream)

    expected = nx.lexicographical_topological_sort(networkx_of(upstream), key=written.index)

    assert topological_order(graph_of(upstream)) == tuple(expected)


@given(edges_in_any_order())
def test_ancestors_are_those_of_networkx(upstream: dict[str, list[str]]) -> None:
    graph = graph_of(upstream)
    order = topological_order(graph)

    found = {
        task: {order[index] for index in range(len(order)) if bits >> index & 1}
        for task, bits in ancestors(graph).items()
    }

    assert found == {task: nx.ancestors(networkx_of(upstream), task) for task in upstream}


@given(edges_in_any_order())
def test_the_reduction_is_that_of_networkx_in_the_order_written(upstream: dict[str, list[str]]) -> None:
    reduced = transitive_reduction(graph_of(upstream))

    expected = nx.transitive_reduction(networkx_of(upstream))
    assert {task: set(ups) for task, ups in reduced.items()} == {
        task: set(expected.predecessors(task)) for task in upstream
    }
    assert list(reduced) == list(upstream)
    assert all(list(ups) == [up for up in upstream[task] if up in ups] for task, ups in reduced.items())


@given(edges_in_any_order())
def test_neighbours_and_ends_follow_the_edges(upstream: dict[str, list[str]]) -> None:
    graph, other = graph_of(upstream), networkx_of(upstream)

    assert {task: set(below) for task, below in downstream(graph).items()} == {
        task: set(other.successors(task)) for task in upstream
    }
    assert sources(graph) == tuple(task for task in upstream if other.in_degree(task) == 0)
    assert sinks(graph) == tuple(task for task in upstream if other.out_degree(task) == 0)
    assert find_cycle(graph) == ()


@given(edges_in_any_order(), st.data())
def test_a_cycle_is_found_along_its_edges_from_its_first_written_task(
    upstream: dict[str, list[str]], data: st.DataObject
) -> None:
    task = data.draw(st.sampled_from(sorted(upstream)))
    first = data.draw(st.sampled_from(sorted({task} | nx.ancestors(networkx_of(upstream), task))))
    upstream[first].append(task)

    ring = find_cycle(graph_of(upstream))

    assert ring
    assert all(before in upstream[after] for before, after in zip(ring, ring[1:] + ring[:1], strict=True))
    assert len(set(ring)) == len(ring)
    assert ring[0] == min(ring, key=list(upstream).index)


def test_a_cycle_has_no_order_and_is_shown() -> None:
    with pytest.raises(DagError, match="a → b → c → a") as raised:
        topological_order(graph_of({"a": ["c"], "b": ["a"], "c": ["b"], "d": []}))

    assert [problem.code for problem in raised.value.problems] == ["cycle"]


def test_an_upstream_id_that_no_task_has_is_ignored() -> None:
    graph = graph_of({"a": ["ghost"], "b": ["a", "ghost"]})

    assert topological_order(graph) == ("a", "b")
    assert transitive_reduction(graph) == {"a": ("ghost",), "b": ("a",)}
