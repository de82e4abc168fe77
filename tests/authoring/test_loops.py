"""Loop: a body that runs again, the state that it carries, and its end."""

from __future__ import annotations

from typing import TypedDict

import pytest

from stepweave import If, Loop, task
from stepweave.errors import DagError
from stepweave.graph import constructs
from stepweave.graph.model import DictOf, Expression, FromParam, FromState, FromTask, Literal
from tests.authoring.written import graph_of, load, show


class State(TypedDict):
    left: int


@task
def start() -> State: ...


@task
def halve(state: State, round: int = 0) -> State: ...


@task
def count(n: float) -> float: ...


def test_a_loop_is_one_node_with_a_body_and_an_end() -> None:
    def written(least: int = 1):
        with Loop(start(), until=lambda state: state["left"] <= least, max_rounds=10) as loop:
            loop.carry(halve(loop.state, loop.round))
        show(loop.result["left"])

    graph = graph_of(written)
    node, body = graph["loop"], graph["loop"].body

    assert node.upstream == ("start",)
    assert node.loop == constructs.Loop(
        start=FromTask(task="start"),
        until=Expression(
            text="$_0_ <= $_1_", operands=(FromState(node="loop", path=("left",)), FromParam(param="least"))
        ),
        max_rounds=10,
        exhausted="continue",
    )
    assert body is not None
    assert [task.id for task in body.graph.tasks] == ["loop.halve"]
    assert dict(body.graph["loop.halve"].arguments) == {
        "state": FromState(node="loop"),
        "round": FromState(node="loop", counter=True),
    }
    assert body.result == FromTask(task="loop.halve")
    assert dict(graph["show"].arguments) == {"value": FromTask(task="loop", path=("left",))}


def test_a_loop_starts_from_literals_and_references_alike() -> None:
    def written():
        rows = load()
        with Loop(
            {"rows": rows, "left": 8},
            until=lambda s: s["left"] == 1,
            max_rounds=3,
            on_exhausted="fail",
            id="halving",
        ) as loop:
            loop.carry({"rows": loop.state["rows"], "left": count(loop.state["left"])})

    node = graph_of(written)["halving"]

    assert node.loop is not None
    assert node.loop.exhausted == "fail"
    assert node.loop.start == DictOf(items=(("rows", FromTask(task="load")), ("left", Literal(json="8"))))
    assert node.upstream == ("load",)
    assert node.body is not None
    assert node.body.result == DictOf(
        items=(
            ("rows", FromState(node="halving", path=("rows",))),
            ("left", FromTask(task="halving.count")),
        )
    )


def test_a_whole_number_may_become_a_fraction() -> None:
    def written():
        with Loop(0, until=lambda state: state >= 0.5, max_rounds=3) as loop:
            loop.carry(count(loop.state))

    assert graph_of(written)["loop"].loop is not None


def test_the_state_has_the_type_of_the_start() -> None:
    def written():
        with Loop(start(), until=lambda state: state["lefd"] <= 1, max_rounds=3) as loop:
            loop.carry(halve(loop.state))

    with pytest.raises(DagError, match="did you mean 'left'"):
        graph_of(written)


def test_conditions_and_loops_may_stand_in_a_loop() -> None:
    def written():
        with Loop(start(), until=lambda state: state["left"] <= 1, max_rounds=3) as outer:
            with If(outer.round > 0):
                show(outer.state)
            with Loop(outer.state, until=lambda state: state["left"] <= 2, max_rounds=2) as inner:
                inner.carry(halve(inner.state, outer.round))
            outer.carry(inner.result)

    body = graph_of(written)["loop"].body

    assert body is not None
    assert [task.id for task in body.graph.tasks] == ["loop.if", "loop.show", "loop.loop"]
    nested = body.graph["loop.loop"]
    assert nested.loop is not None
    assert nested.loop.start == FromState(node="loop")
    assert nested.body is not None
    assert dict(nested.body.graph["loop.loop.halve"].arguments)["round"] == FromState(
        node="loop", counter=True
    )


def test_two_loops_have_ids_of_their_own() -> None:
    def written():
        for _ in range(2):
            with Loop(1, until=lambda state: state > 3, max_rounds=3) as loop:
                loop.carry(count(loop.state))

    assert [task.id for task in graph_of(written).tasks] == ["loop", "loop__1"]


def test_a_loop_can_be_put_in_order() -> None:
    def written():
        with Loop(1, until=lambda state: state > 3, max_rounds=3) as loop:
            loop.carry(count(loop.state))
        load() >> loop >> show()

    graph = graph_of(written)

    assert (graph["loop"].upstream, graph["show"].upstream) == (("load",), ("loop",))
