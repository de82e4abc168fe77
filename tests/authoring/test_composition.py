"""DAGs inside DAGs: inlined as a group, or as an execution of its own; versions."""

from __future__ import annotations

import datetime

import pytest
from pydantic import BaseModel

from stepweave import If, Param, dag, task
from stepweave.authoring.versions import satisfies
from stepweave.errors import DagError
from stepweave.graph.constructs import NestedDag
from stepweave.graph.model import DictOf, Expression, FromParam, FromTask, Literal
from tests.authoring.written import choose, graph_of, load, score, show, train


@dag(version="1.2.0", default_args={"retries": 2})
def churn(uri: str = "s3://raw", k: int = Param(3, ge=1)):
    """Churn."""
    rows = load(uri)
    return choose(train.partial(rows=rows, depth=k).expand(model=["svm"]))


class Settings(BaseModel):
    rate: float = 0.1
    day: datetime.date = datetime.date(2026, 1, 1)


@dag
def tuned(settings: Settings = Settings(), go: bool = True):
    with If(go & (settings.rate > 0.5)):
        show(settings.day)
    return {"score": score(load()), "rate": settings.rate}


def test_a_dag_called_in_a_dag_is_a_group_of_its_tasks() -> None:
    def written():
        best = churn("s3://other")
        show(best["model"])

    graph = graph_of(written)

    assert [task.id for task in graph.tasks] == ["churn.load", "churn.train", "churn.choose", "show"]
    assert graph["churn.load"].groups == ("churn",)
    assert graph["churn.load"].retry.attempts == 2
    assert graph["churn.load"].arguments == (("uri", Literal(json='"s3://other"')),)
    assert dict(graph["churn.train"].arguments)["depth"] == Literal(json="3")
    assert graph["show"].arguments == (("value", FromTask(task="churn.choose", path=("model",))),)
    assert graph["churn.load"].call == "tests.authoring.written:load"


def test_references_are_bound_to_the_params_of_an_inlined_dag() -> None:
    def written(k: int = 5):
        churn(uri=load()["uri"], k=k)

    graph = graph_of(written)

    assert graph["churn.load"].arguments == (("uri", FromTask(task="load", path=("uri",))),)
    assert dict(graph["churn.train"].arguments)["depth"] == FromParam(param="k")


def test_params_known_already_stay_references_with_parts_and_conditions() -> None:
    def written():
        value = tuned({"rate": 0.7})
        show(value["rate"])
        show(value["score"])

    graph = graph_of(written)
    condition = graph["tuned.if"].condition

    assert condition is not None
    assert condition.cases[0][1] == Expression(text="true and (0.7 > 0.5)", operands=())
    assert graph["tuned.show"].arguments == (("value", Literal(json='"2026-01-01"')),)
    assert graph["show"].arguments == (("value", Literal(json="0.7")),)


def test_an_inlined_dag_that_returns_nothing_can_be_put_in_order() -> None:
    @dag
    def quiet():
        show()

    def written():
        load() >> quiet() >> show()

    graph = graph_of(written)

    assert graph["quiet.show"].upstream == ("load",)
    assert graph["show"].upstream == ("quiet.show",)


def test_the_same_dag_twice_has_ids_of_its_own() -> None:
    def written():
        churn()
        churn()

    assert "churn__1.load" in graph_of(written)


def test_an_execution_of_a_dag_is_one_node_with_all_params() -> None:
    def written(k: int = 5):
        best = churn.as_execution(uri=load()["uri"])
        show(best["model"])
        with If(best["auc"] > 0.5):
            show()
        churn.as_execution(k=k)

    graph = graph_of(written)

    assert graph["churn"].nested == NestedDag(
        dag="churn",
        call=f"{__name__}:churn",
        params=(
            ("uri", Expression(text="$_0_", operands=(FromTask(task="load", path=("uri",)),))),
            ("k", Literal(json="3")),
        ),
        result=FromTask(task="choose"),
        version="1.2.0",
    )
    assert (graph["churn"].call, graph["churn"].upstream, graph["churn"].doc) == ("", ("load",), "Churn.")
    assert graph["load"].fields == (("uri",),)
    assert graph["churn"].fields == (("auc",),)
    assert graph["show"].arguments == (("value", FromTask(task="churn", path=("model",))),)
    second = graph["churn__1"].nested
    assert second is not None
    assert second.params[1] == ("k", Expression(text="$_0_", operands=(FromParam(param="k"),)))


def test_the_params_of_an_execution_may_be_containers_of_references() -> None:
    @dag
    def takes(options: dict[str, object]):
        show(options)

    def written():
        takes.as_execution(options={"a": [load()["k"], 1]})

    nested = graph_of(written)["takes"].nested

    assert nested is not None
    assert isinstance(nested.params[0][1], DictOf)


def test_dags_that_call_each_other_are_an_error_that_names_the_chain() -> None:
    @dag
    def first():
        second()

    @dag
    def second():
        first()

    @dag
    def starting():
        started.as_execution()
        show()

    @dag
    def started():
        starting.as_execution()
        show()

    with pytest.raises(DagError, match="first → second → first") as inlined:
        first.graph()
    with pytest.raises(DagError, match="starting → started → starting") as executed:
        starting.graph()

    assert [one.code for one in inlined.value.problems] == ["dag-cycle"]
    assert [one.code for one in executed.value.problems] == ["dag-cycle"]


def test_mistakes_of_a_nested_dag_are_reported_where_it_was_written() -> None:
    @dag
    def wrong():
        show(load()["a"].b > "x")
        load(5)

    def written():
        wrong.as_execution()
        load()

    with pytest.raises(DagError) as raised:
        graph_of(written)

    assert [one.code for one in raised.value.problems] == ["edge-type"]


def test_a_component_of_the_version_asked_for_is_itself() -> None:
    @task(version="2.0")
    def component() -> None: ...

    assert churn.require(">=1.1,<2") is churn
    assert component.require("2.0") is component


def test_a_component_of_another_version_is_an_error_that_names_both() -> None:
    with pytest.raises(DagError) as raised:
        churn.require(">=2")

    problem = raised.value.problems[0]
    assert (problem.code, problem.expected, problem.got) == ("version", "version >=2", "version 1.2.0")
    assert problem.file is not None
    assert problem.file.endswith("test_composition.py")

    with pytest.raises(DagError, match="no version"):
        tuned.require(">=2")
    with pytest.raises(DagError, match="the demand '~3' cannot be understood"):
        churn.require("~3")


@pytest.mark.parametrize(
    "version, demands, fits",
    [
        ("1.2.0", ">=1.1,<2", True),
        ("1.2.0", "1.2", True),
        ("1.10", ">1.9", True),
        ("1.2.0", "!=1.2", False),
        ("2.0.1", "<=2", False),
        ("2.0.0", "<=2", True),
    ],
)
def test_versions_are_compared_number_by_number(version: str, demands: str, fits: bool) -> None:
    assert satisfies(version, demands) is fits
