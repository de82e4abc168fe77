"""Task calls: ids, arguments, options, and the name by which a run finds the function."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stepweave import Batch, Fargate, Lambda, Param, Retry, dag, task, task_group
from stepweave.errors import DagError
from stepweave.graph.model import (
    DictOf,
    FromParam,
    FromTask,
    Graph,
    ListOf,
    Literal,
    Resources,
    RetryPolicy,
)


@task
def load(uri: str = "", size: int = 0) -> dict[str, Any]:
    """The rows of a file.

    Reads it once.
    """
    return {"uri": uri, "size": size}


@task
def show(value: Any = None) -> None: ...


@task
def split() -> tuple[int, str]: ...


@task(retries=2, tags=["ml", "ml"], owner="team")
def train(rows: dict[str, Any], *, model: str = "svm", **settings: Any) -> dict[str, Any]:
    return {"rows": rows, "model": model, **settings}


def graph_of(body: Callable[[], object], **options: Any) -> Graph:
    @dag(dag_id="traced", **options)
    def traced():
        body()

    graph: Graph = traced.graph()
    return graph


def value_of(body: Callable[[], Any]) -> Any:
    """The binding of what ``body`` returns, given to ``show``."""
    return dict(graph_of(lambda: show(body()))["show"].arguments)["value"]


def test_a_task_called_outside_a_dag_runs_the_plain_function() -> None:
    assert load("a", size=3) == {"uri": "a", "size": 3}
    assert load.partial(size=4)("b") == {"uri": "b", "size": 4}
    assert load.override(retries=5)("c") == load.function("c")


def test_a_dag_runs_no_task() -> None:
    ran = []

    @task
    def touch() -> None:
        ran.append(1)

    graph_of(touch)

    assert ran == []


def test_repeated_calls_get_numbered_ids() -> None:
    graph = graph_of(lambda: [load(), load(), load.override(task_id="load__2")(), load(), show()])

    assert [one.id for one in graph.tasks] == ["load", "load__1", "load__2", "load__3", "show"]


def test_a_task_id_of_the_decorator_names_every_call() -> None:
    @task(task_id="fetch")
    def load_it() -> None: ...

    assert [one.id for one in graph_of(lambda: [load_it(), load_it()]).tasks] == ["fetch", "fetch__1"]


def test_arguments_are_bound_by_name_whatever_way_they_are_given() -> None:
    graph = graph_of(lambda: load("a", size=2))

    assert graph["load"].arguments == (("uri", Literal(json='"a"')), ("size", Literal(json="2")))


def test_a_default_of_the_task_function_stays_the_functions_matter() -> None:
    assert graph_of(load)["load"].arguments == ()


def test_literals_keep_their_text_and_the_order_of_keys() -> None:
    value = {"b": [1, 2.5, None, True], "a": "{% $x %} é"}

    assert value_of(lambda: value) == Literal(json='{"b":[1,2.5,null,true],"a":"{% $x %} é"}')


def test_a_large_integer_is_a_literal_as_any_other() -> None:
    assert value_of(lambda: 2**70) == Literal(json=str(2**70))


def test_references_inside_lists_and_dicts_keep_their_place() -> None:
    def body() -> None:
        rows = load()
        show({"rows": rows["k"][0].name, "all": [1, (rows, {"x": 2})]})

    graph = graph_of(body)

    assert dict(graph["show"].arguments)["value"] == DictOf(
        items=(
            ("rows", FromTask(task="load", path=("k", 0, "name"))),
            (
                "all",
                ListOf(
                    items=(Literal(json="1"), ListOf(items=(FromTask(task="load"), Literal(json='{"x":2}'))))
                ),
            ),
        )
    )
    assert graph["show"].upstream == ("load",)


def test_a_tuple_annotation_lets_a_value_be_unpacked() -> None:
    def body() -> None:
        number, text = split()
        show([number, text])

    assert dict(graph_of(body)["show"].arguments)["value"] == ListOf(
        items=(FromTask(task="split", path=(0,)), FromTask(task="split", path=(1,)))
    )


def test_params_are_references() -> None:
    @dag
    def with_params(uri: str = Param("s3://x"), options: dict[str, Any] = {}):  # noqa: B006
        load(uri, options["size"])

    assert with_params.graph()["load"].arguments == (
        ("uri", FromParam(param="uri")),
        ("size", FromParam(param="options", path=("size",))),
    )


def test_partial_binds_arguments_to_a_later_call() -> None:
    def body() -> None:
        fit = train.partial(rows=load(), seed=1)
        fit(model="forest")
        fit(seed=2)

    graph = graph_of(body)

    assert dict(graph["train"].arguments) == {
        "rows": FromTask(task="load"),
        "seed": Literal(json="1"),
        "model": Literal(json='"forest"'),
    }
    assert dict(graph["train__1"].arguments)["seed"] == Literal(json="2")


def test_options_come_to_one_normal_form() -> None:
    @task(
        retry=Retry(
            attempts=4,
            delay="30s",
            backoff=1,
            max_delay="10m",
            jitter=False,
            on=[ConnectionError, "DataError"],
        ),
        timeout=timedelta(hours=6),
        cpu=8,
        memory="60GiB",
        gpu=1,
        ephemeral=2048,
        spot=True,
        compute=Batch,
        trigger_rule="none_failed",
        doc="Trains.",
    )
    def heavy() -> None: ...

    one = graph_of(heavy)["heavy"]

    assert one.retry == RetryPolicy(
        attempts=4,
        delay_seconds=30,
        backoff=1.0,
        max_delay_seconds=600,
        jitter=False,
        on=("ConnectionError", "DataError"),
    )
    assert one.timeout_seconds == 21_600
    assert one.resources == Resources(cpu=8.0, memory_mib=61_440, gpu=1, ephemeral_mib=2048, spot=True)
    assert (one.compute, one.trigger_rule, one.doc) == ("batch", "none_failed", "Trains.")


def test_a_first_wait_beyond_the_default_ceiling_lifts_the_ceiling() -> None:
    graph = graph_of(lambda: [load.override(retry_delay="20m")(), show.override(retry=Retry(delay=900))()])

    assert graph["load"].retry.max_delay_seconds is None
    assert graph["show"].retry.max_delay_seconds is None


def test_nearer_options_win_over_farther_ones() -> None:
    def body() -> None:
        with task_group("group", default_args={"retries": 7, "owner": "group"}):
            show()
            train({})
            train.override(owner="call", retry=Retry(attempts=9))({})
        show()

    graph = graph_of(body, default_args={"retries": 5, "timeout": "1m", "owner": "dag"})

    facts = {one.id: (one.retry.attempts, one.owner, one.timeout_seconds) for one in graph.tasks}
    assert facts == {
        "group.show": (7, "group", 60),
        "group.train": (2, "team", 60),
        "group.train__1": (9, "call", 60),
        "show": (5, "dag", 60),
    }
    assert graph["group.train"].tags == ("ml",)


def test_a_teardown_waits_for_all_to_be_done() -> None:
    def body() -> None:
        load() >> show.override(teardown=True)()

    one = graph_of(body)["show"]

    assert (one.teardown, one.trigger_rule, one.upstream) == (True, "all_done", ("load",))


@pytest.mark.parametrize(
    "compute, stays", [(Lambda, None), (Batch, "batch"), (Fargate, "fargate"), (None, None)]
)
def test_more_memory_is_sought_where_the_task_is_said_to_run_unless_that_is_lambda(
    compute: Any, stays: str | None
) -> None:
    climbing = show.override(compute=compute, memory="1GiB", on_out_of_memory=["4GiB", "60GiB"])
    assert [rung.compute for rung in graph_of(climbing)["show"].ladder] == [stays, stays]


@pytest.mark.parametrize("compute", [Lambda, Lambda(), "lambda"])
def test_compute_is_given_as_class_value_or_name(compute: Any) -> None:
    assert graph_of(show.override(compute=compute))["show"].compute == "lambda"


def test_the_doc_is_the_docstring_without_its_indentation() -> None:
    assert graph_of(load)["load"].doc == "The rows of a file.\n\nReads it once."


def test_a_task_of_a_module_is_called_by_its_name_also_when_overridden() -> None:
    graph = graph_of(lambda: [load(), load.override(task_id="other")()])

    assert {one.call for one in graph.tasks} == {f"{__name__}:load"}


@dag
def with_local_task():
    @task
    def inner() -> int:
        return 5

    inner()


def test_a_task_that_cannot_be_imported_is_found_through_its_dag() -> None:
    assert with_local_task.graph()["inner"].call == f"{__name__}:with_local_task#inner"
    assert with_local_task.task_function("inner")() == 5


def test_the_source_is_the_line_of_the_call() -> None:
    line = load.__wrapped__.__code__.co_firstlineno
    source = graph_of(
        lambda: load()  # the line that is meant
    )["load"].source

    assert source is not None
    assert source.file.endswith("test_tasks.py")
    assert source.line > line


def test_a_reference_may_be_a_key_and_shows_what_it_is() -> None:
    shown = []

    def body() -> None:
        rows = load()
        shown.append((repr(rows["k"]), len({rows, rows, rows["k"]}), repr(rows["n"] > 1)))

    graph_of(body)

    assert shown == [("<reference to task 'load'['k']>", 2, "<expression $_0_ > 1>")]


def test_a_reference_outside_of_its_dag_refuses_at_once() -> None:
    kept = []
    graph_of(lambda: kept.append(load()))

    with pytest.raises(DagError, match="reference-bool"):
        bool(kept[0])
    with pytest.raises(DagError, match="outside-dag"):
        kept[0] >> kept[0]


@pytest.mark.parametrize("decorated", [5, "load", int])
def test_only_functions_are_tasks(decorated: Any) -> None:
    with pytest.raises(DagError, match="expected: a function"):
        task(decorated)
