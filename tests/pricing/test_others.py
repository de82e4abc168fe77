"""What the same pipeline costs elsewhere."""

from __future__ import annotations

import pytest

from stepweave.graph.constructs import Expansion
from stepweave.graph.model import DagInfo, Graph, Literal, Task
from stepweave.pricing.others import on_metaflow, on_mwaa


def a_task(task_id: str, *upstream: str, expansion: Expansion | None = None) -> Task:
    return Task(id=task_id, call="m:f", upstream=upstream, expansion=expansion)


def graph_of(*tasks: Task) -> Graph:
    return Graph(dag=DagInfo(id="d"), tasks=tasks)


def once(graph: Graph) -> list[tuple[str, float]]:
    return [(task, 1.0) for task in graph.ids()]


def test_a_chain_is_a_transition_and_a_job_a_step_and_start_and_end() -> None:
    graph = graph_of(a_task("a"), a_task("b", "a"))
    used = on_metaflow(graph, once(graph))
    assert used.amounts["transition"] == 4
    assert used.amounts["cpu_arm64"] == pytest.approx(4 * 60 / 3_600)


def test_a_split_is_one_more_and_an_order_that_others_imply_is_none() -> None:
    chain = graph_of(a_task("a"), a_task("b", "a"), a_task("c", "b", "a"))
    assert on_metaflow(chain, once(chain)).amounts["transition"] == 5
    diamond = graph_of(a_task("a"), a_task("b", "a"), a_task("c", "a"), a_task("d", "b", "c"))
    assert on_metaflow(diamond, once(diamond)).amounts["transition"] == 6 + 1


def test_a_foreach_is_two_more_and_a_job_an_item() -> None:
    items = Expansion(how="product", arguments=(("x", Literal(json="[1,2,3]")),))
    graph = graph_of(a_task("a", expansion=items))
    used = on_metaflow(graph, [("a", 1.0)] * 3)
    assert used.amounts["transition"] == 5 + 2
    assert used.amounts["table_write"] == 2


def test_an_environment_of_mwaa_is_shared_by_its_runs() -> None:
    assert on_mwaa(1).usd() == pytest.approx(0.49 * 730)
    assert on_mwaa(30).usd() == pytest.approx(0.49 * 730 / 30)
