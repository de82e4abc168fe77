"""expand and expand_kwargs of tasks: what is mapped over, how, and what its result is."""

from __future__ import annotations

from typing import Any

import pytest

from stepweave import dag, task
from stepweave.errors import DagError
from stepweave.graph.constructs import Expansion
from stepweave.graph.model import FromParam, FromTask, Literal
from tests.authoring.written import choose, graph_of, items, load, show, train


def test_a_mapped_task_has_lists_and_arguments_that_are_the_same_for_every_item() -> None:
    def written():
        train.partial(rows=load(), depth=2).expand(model=items())

    node = graph_of(written)["train"]

    assert node.expansion == Expansion(how="product", arguments=(("model", FromTask(task="items")),))
    assert dict(node.arguments) == {"rows": FromTask(task="load"), "depth": Literal(json="2")}
    assert set(node.upstream) == {"load", "items"}
    assert node.call == "tests.authoring.written:train"


def test_lists_may_be_literals_params_parts_and_lists_of_references() -> None:
    def written(models: list[str] = ["svm"]):  # noqa: B006  (a default of a param, never changed)
        rows = load()
        train.expand(model=models)
        train.expand(model=rows["models"])
        train.expand(rows=[rows, load()], how="zip")
        train.expand(model=[])

    expansions = [one.expansion for one in graph_of(written).tasks if one.expansion]

    assert [one.arguments[0][1] for one in expansions if len(one.arguments) == 1][:2] == [
        FromParam(param="models"),
        FromTask(task="load", path=("models",)),
    ]
    assert expansions[2].how == "zip"
    assert expansions[3].arguments == (("model", Literal(json="[]")),)


def test_several_lists_are_combined_or_zipped() -> None:
    def written():
        train.expand(model=["a", "b"], depth=[1, 2, 3])
        train.expand(how="zip", model=["a", "b"], depth=[1, 2])

    graph = graph_of(written)
    product, zipped = graph["train"].expansion, graph["train__1"].expansion

    assert product is not None
    assert zipped is not None
    assert (product.how, [name for name, _ in product.arguments]) == ("product", ["model", "depth"])
    assert zipped.how == "zip"


def test_expand_kwargs_takes_a_list_of_arguments() -> None:
    def written():
        train.partial(rows=load()).expand_kwargs([{"model": "a"}, {"model": "b", "depth": 3}])
        train.expand_kwargs(items_of_kwargs())

    @task
    def items_of_kwargs() -> list[dict[str, Any]]: ...

    graph = graph_of(written)

    assert graph["train"].expansion == Expansion(
        how="kwargs", arguments=(("", Literal(json='[{"model":"a"},{"model":"b","depth":3}]')),)
    )
    assert graph["train__1"].expansion == Expansion(
        how="kwargs", arguments=(("", FromTask(task="items_of_kwargs")),)
    )


def test_results_are_a_list_for_whoever_takes_them() -> None:
    def written():
        results = train.expand(model=["a"])
        choose(results)
        train.expand(rows=results)
        show(results[0])

    graph = graph_of(written)

    assert graph["choose"].arguments == (("results", FromTask(task="train")),)
    assert graph["train__1"].upstream == ("train",)
    assert graph["show"].arguments == (("value", FromTask(task="train", path=(0,))),)


def test_the_list_of_results_has_the_type_of_the_task() -> None:
    @task
    def number(text: str) -> int: ...

    def written():
        train.expand(model=number.expand(text=["1"]))

    with pytest.raises(DagError, match="edge-type") as raised:
        graph_of(written)

    assert raised.value.problems[0].got == "int from task 'number'"


def test_options_of_mapping_may_stand_at_the_task_or_at_its_use() -> None:
    @task(max_concurrency=10, tolerated_failures="1%", map_label="model")
    def fit(model: str) -> float: ...

    def written():
        fit.expand(model=["a"])
        fit.override(batch_size=20, tolerated_failures=3).expand(model=["a"])
        fit("alone")

    graph = graph_of(written)
    one, two = graph["fit"].expansion, graph["fit__1"].expansion

    assert one is not None
    assert two is not None
    assert (one.max_concurrency, one.tolerated_percent, one.label, one.batch_size) == (10, 1.0, "model", None)
    assert (two.max_concurrency, two.tolerated_count, two.tolerated_percent, two.batch_size) == (
        10,
        3,
        0.0,
        20,
    )
    assert graph["fit__2"].expansion is None


def test_a_mapped_task_keeps_its_own_options() -> None:
    def written():
        train.override(retries=3, hedge="90s", task_id="fit").expand(model=["a"])

    node = graph_of(written)["fit"]

    assert (node.retry.attempts, node.hedge_seconds) == (3, 90)


def test_mapping_outside_of_a_dag_says_where_it_belongs() -> None:
    with pytest.raises(DagError, match="outside of a DAG"):
        train.expand(model=["a"])


def test_a_dag_may_map_over_ten_thousand_items() -> None:
    @dag
    def wide():
        train.expand(depth=list(range(10_000)))

    expansion = wide.graph()["train"].expansion

    assert expansion is not None
    assert isinstance(expansion.arguments[0][1], Literal)
