"""Mapped task groups: traced once, as a body whose parameters are items."""

from __future__ import annotations

from typing import Any

from stepweave import If, task_group
from stepweave.graph.constructs import Body, Expansion
from stepweave.graph.model import DictOf, FromItem, FromTask, Graph, Literal
from tests.authoring.written import choose, graph_of, items, load, score, show, train


@task_group
def fit(model: str, rows: Any):
    """One model."""
    result = train(rows, model)
    return {"result": result, "score": score(result)}


def body_of(graph: Graph, node: str) -> Body:
    body = graph[node].body
    assert body is not None
    return body


def test_a_mapped_group_is_one_node_with_a_graph_inside() -> None:
    def written():
        choose(fit.partial(rows=load()).expand(model=items()))

    graph = graph_of(written)
    node, body = graph["fit"], body_of(graph, "fit")

    assert (node.call, node.doc, node.upstream) == ("", "One model.", ("items", "load"))
    assert node.expansion == Expansion(how="product", arguments=(("model", FromTask(task="items")),))
    assert [task.id for task in body.graph.tasks] == ["fit.train", "fit.score"]
    assert body.graph.dag == graph.dag
    assert dict(body.graph["fit.train"].arguments) == {
        "rows": FromTask(task="load"),
        "model": FromItem(node="fit", name="model"),
    }
    assert (body.graph["fit.train"].upstream, body.graph["fit.score"].upstream) == ((), ("fit.train",))
    assert body.graph["fit.train"].groups == ("fit",)
    assert body.result == DictOf(
        items=(("result", FromTask(task="fit.train")), ("score", FromTask(task="fit.score")))
    )
    assert graph["choose"].upstream == ("fit",)


def test_parts_of_items_and_what_is_around_the_group_may_be_used_inside() -> None:
    def written(limit: float = 0.5):
        rows = load()

        @task_group
        def each(item: dict[str, Any]):
            with If((item["size"] > limit) & (rows["k"] == 1)):
                show(item["name"])

        each.expand(item=[{"size": 1, "name": "a"}])

    graph = graph_of(written)
    body = body_of(graph, "each")

    condition = body.graph["each.if"].condition
    assert condition is not None
    assert condition.cases[0][1].operands[0] == FromItem(node="each", name="item", path=("size",))
    assert dict(body.graph["each.show"].arguments)["value"] == FromItem(
        node="each", name="item", path=("name",)
    )
    assert graph["each"].upstream == ("load",)
    assert graph["load"].fields == (("k",),)
    assert body.result is None


def test_a_map_in_a_map_sees_the_items_of_both() -> None:
    @task_group
    def outer(model: str):
        shared = load(model)

        @task_group
        def inner(depth: int):
            return train(shared, model, depth)

        return choose(inner.expand(depth=[1, 2]))

    def written():
        base = load("base")
        show(base)
        outer.expand(model=["a", "b"])

    graph = graph_of(written)
    outside = body_of(graph, "outer")
    inside = body_of(outside.graph, "outer.inner")

    assert [task.id for task in outside.graph.tasks] == ["outer.load", "outer.inner", "outer.choose"]
    assert outside.graph["outer.inner"].upstream == ("outer.load",)
    assert dict(inside.graph["outer.inner.train"].arguments) == {
        "rows": FromTask(task="outer.load"),
        "model": FromItem(node="outer", name="model"),
        "depth": FromItem(node="outer.inner", name="depth"),
    }


def test_what_an_inner_map_reads_of_the_outermost_graph_is_upstream_of_the_outer_map_alone() -> None:
    def written():
        rows = load()

        @task_group
        def outer(model: str):
            train.partial(rows=rows).expand(model=[model])

        outer.expand(model=["a"])

    graph = graph_of(written)

    assert graph["outer"].upstream == ("load",)
    assert body_of(graph, "outer").graph["outer.train"].upstream == ()


def test_order_across_the_border_of_a_body_is_order_with_its_node() -> None:
    def written():
        first, inner = load(), []

        @task_group
        def each(item: str):
            inner.append(show(item))

        each.expand(item=["a"])
        first >> inner[0]

    graph = graph_of(written)

    assert graph["each"].upstream == ("load",)
    assert body_of(graph, "each").graph["each.show"].upstream == ()


def test_expand_kwargs_gives_every_parameter_its_item() -> None:
    def written():
        fit.partial(rows=1).expand_kwargs([{"model": "a"}])

    body = body_of(graph_of(written), "fit")

    assert dict(body.graph["fit.train"].arguments)["model"] == FromItem(node="fit", name="model")


def test_a_group_has_options_of_mapping_and_its_tasks_have_default_args() -> None:
    def written():
        fit.override(
            group_id="wide", max_concurrency=3, tolerated_failures="5%", default_args={"retries": 4}
        ).partial(rows=1).expand(model=["a"])

    graph = graph_of(written)
    expansion = graph["wide"].expansion

    assert expansion is not None
    assert (expansion.max_concurrency, expansion.tolerated_percent) == (3, 5.0)
    assert body_of(graph, "wide").graph["wide.train"].retry.attempts == 4


def test_a_group_called_plainly_stays_a_group() -> None:
    def written():
        fit.partial(rows=1)("svm")

    graph = graph_of(written)

    assert [task.id for task in graph.tasks] == ["fit.train", "fit.score"]
    assert dict(graph["fit.train"].arguments)["model"] == Literal(json='"svm"')
