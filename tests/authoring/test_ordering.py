"""Order without data, and task groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepweave import chain, dag, task, task_group
from stepweave.errors import DagError


@task
def step(value: Any = None) -> Any: ...


def named(name: str) -> Any:
    return step.override(task_id=name)()


def upstream_of(body: Callable[[], object]) -> dict[str, list[str]]:
    @dag
    def ordered():
        body()

    return {one.id: sorted(one.upstream) for one in ordered.graph().tasks}


def test_arrows_order_tasks_and_lists_of_tasks_either_way() -> None:
    def body() -> None:
        a, b, c, d = map(named, "abcd")
        a >> [b, c] >> d
        named("e") << [b, a]
        [named("f"), named("g")] >> a

    assert upstream_of(body) == {
        "a": ["f", "g"], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["a", "b"], "f": [], "g": [],
    }  # fmt: skip


def test_a_list_comes_after_what_is_on_its_right() -> None:
    def body() -> None:
        a, b, c = map(named, "abc")
        [a, b] << c

    assert upstream_of(body) == {"a": ["c"], "b": ["c"], "c": []}


def test_data_and_order_together_are_one_edge() -> None:
    def body() -> None:
        a = named("a")
        a >> step(a)

    assert upstream_of(body) == {"a": [], "step": ["a"]}


def test_a_part_of_a_value_orders_its_task() -> None:
    def body() -> None:
        named("a")["k"] >> named("b")

    assert upstream_of(body) == {"a": [], "b": ["a"]}


def test_chain_goes_pairwise_between_lists_of_one_length() -> None:
    def body() -> None:
        a, b, c, d, e, f = map(named, "abcdef")
        chain(a, [b, c], [d, e], f)

    assert upstream_of(body) == {"a": [], "b": ["a"], "c": ["a"], "d": ["b"], "e": ["c"], "f": ["d", "e"]}


def test_groups_prefix_ids_and_nest() -> None:
    def body() -> None:
        with task_group("outer"):
            step()
            with task_group("inner") as inner:
                assert inner.id == "outer.inner"
                step(step())

    @dag
    def nested():
        body()

    groups = {one.id: one.groups for one in nested.graph().tasks}
    assert groups == {
        "outer.step": ("outer",),
        "outer.inner.step": ("outer", "outer.inner"),
        "outer.inner.step__1": ("outer", "outer.inner"),
    }


def test_an_edge_to_a_group_goes_to_its_first_tasks_and_one_from_it_from_its_last() -> None:
    def body() -> None:
        start, end = named("start"), named("end")
        with task_group("g") as g:
            a = named("a")
            b = step.override(task_id="b")(a)
            named("c")
        start >> g >> end
        assert b is not None

    assert upstream_of(body) == {
        "start": [], "end": ["g.b", "g.c"], "g.a": ["start"], "g.b": ["g.a"], "g.c": ["start"],
    }  # fmt: skip


def test_edges_inside_a_group_count_even_where_they_are_written_after_those_around_it() -> None:
    def body() -> None:
        start = named("start")
        with task_group("g") as g:
            with task_group("one") as one:
                named("a")
            with task_group("two") as two:
                named("b")
        start >> g
        one >> two

    assert upstream_of(body) == {"start": [], "g.one.a": ["start"], "g.two.b": ["g.one.a"]}


def test_a_group_function_makes_a_group_per_call_and_returns_what_it_returns() -> None:
    @task_group
    def prepare(value: Any) -> Any:
        return step(value)

    @task_group("tidy")
    def clean() -> None:
        step()

    def body() -> None:
        first = prepare(1)
        prepare.override(group_id="again")(first)
        prepare(first) >> clean()

    assert upstream_of(body) == {
        "prepare.step": [],
        "again.step": ["prepare.step"],
        "prepare__1.step": ["prepare.step"],
        "tidy.step": ["prepare__1.step"],
    }


def test_a_group_function_outside_a_dag_is_a_plain_function() -> None:
    @task_group
    def add(number: int) -> int:
        return number + 1

    assert add(1) == 2


def test_an_error_inside_a_group_closes_it() -> None:
    def body() -> None:
        try:
            with task_group("g"):
                raise KeyError
        except KeyError:
            step()

    assert upstream_of(body) == {"step": []}


def test_groups_and_order_belong_inside_a_dag() -> None:
    with pytest.raises(DagError, match="outside-dag"), task_group("g"):
        pass
    with pytest.raises(DagError, match="outside-dag"):
        chain(step, step)
    with pytest.raises(DagError, match="expected: an id or a function"):
        task_group(5)
