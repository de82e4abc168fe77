from itertools import count

import pytest

from stepweave.graph.constructs import Body, Expansion, Loop, NestedDag, Speculation
from stepweave.graph.model import (
    DagInfo,
    DictOf,
    Expression,
    FromItem,
    FromParam,
    FromState,
    FromTask,
    Graph,
    ListOf,
    Literal,
    Task,
)
from stepweave.graph.specs import Places, Rounds, argument_specs, list_specs, spec, task_references

INFO = DagInfo(id="sales")


def graph(*tasks):
    return Graph(dag=INFO, tasks=tasks)


def task(task_id, *arguments, **parts):
    return Task(id=task_id, call="m:f", arguments=arguments, **parts)


def mapped(task_id, *lists, how="product", **parts):
    return task(task_id, expansion=Expansion(how=how, arguments=lists), **parts)


def specs_of(task_id, *tasks):
    numbers = count()
    return argument_specs(task_id, Places.of(graph(*tasks)), lambda _: next(numbers))


def test_basic_bindings_and_expressions_are_numbered_in_the_order_written():
    asked = Expression(text="$_0_", operands=(FromTask(task="a"),))
    found = specs_of(
        "b",
        task("a"),
        task(
            "b",
            ("x", ListOf(items=(asked, Literal(json="1.0")))),
            ("y", DictOf(items=(("k", asked), ("r", FromParam(param="p", path=("q",)))))),
            ("z", FromTask(task="a", path=(0,))),
        ),
    )
    assert found == {
        "x": {"l": [{"x": 0}, {"v": 1.0}]},
        "y": {"d": {"k": {"x": 1}, "r": {"r": "p", "p": ["q"]}}},
        "z": {"t": "a", "p": [0]},
    }


def test_a_mapped_task_gets_an_item_of_each_list():
    lists = ("x", FromTask(task="a")), ("y", Literal(json="[1,2]"))
    found = specs_of("m", task("a"), mapped("m", *lists))
    assert found == {"x": {"i": "m", "k": "x", "d": 0}, "y": {"i": "m", "k": "y", "d": 0}}
    assert list_specs("m", Places.of(graph(task("a"), mapped("m", *lists))), lambda _: 0) == {
        "x": {"t": "a"},
        "y": {"v": [1, 2]},
    }


def test_items_of_lists_that_were_written_are_picked_by_position():
    lists = (
        ("x", Literal(json="[1,2]")),
        ("y", ListOf(items=(FromTask(task="a"), Literal(json="0"), Literal(json="9")))),
    )
    picks = [{"v": 1}, {"v": 2}], [{"t": "a"}, {"v": 0}, {"v": 9}]
    assert specs_of("m", task("a"), mapped("m", *lists)) == {
        "x": {"pick": picks[0], "div": 3, "d": 0},
        "y": {"pick": picks[1], "div": 1, "d": 0},
    }
    assert specs_of("m", task("a"), mapped("m", *lists, how="zip"))["x"] == {
        "pick": picks[0],
        "div": 1,
        "d": 0,
    }


def test_mapped_keyword_arguments_stand_under_two_stars():
    assert specs_of("m", task("a"), mapped("m", ("", FromTask(task="a")), how="kwargs")) == {
        "**": {"kw": {"i": "m", "k": "", "d": 0}}
    }


def test_the_value_of_a_mapped_task_is_that_of_its_items():
    tasks = task("a"), mapped("m", ("x", FromTask(task="a"))), mapped("w", ("x", Literal(json="[1,2,3]")))
    reader = task("b", ("m", FromTask(task="m", path=(0, "auc"))), ("w", FromTask(task="w")))
    assert specs_of("b", *tasks, reader) == {
        "m": {"m": {"t": "m", "d": 1}, "of": "m", "d": 0, "p": [0, "auc"]},
        "w": {"m": {"t": "w", "d": 1}, "of": "w", "d": 0, "n": 3},
    }


def test_the_value_of_a_group_is_the_result_of_its_body_at_each_depth():
    inner = mapped(
        "g.h",
        ("y", FromItem(node="g", name="x")),
        body=Body(
            graph=graph(task("g.h.t", ("y", FromItem(node="g.h", name="y", path=("k",))))),
            result=FromTask(task="g.h.t"),
        ),
    )
    outer = mapped("g", ("x", FromTask(task="a")), body=Body(graph=graph(inner), result=FromTask(task="g.h")))
    places = Places.of(graph(task("a"), outer, task("b", ("all", FromTask(task="g")))))
    assert (places.depths["g.h.t"], places.scopes["g.h.t"]) == (2, "g.h")
    assert argument_specs("g.h.t", places, lambda _: 0) == {"y": {"i": "g.h", "k": "y", "d": 1, "p": ["k"]}}
    assert argument_specs("b", places, lambda _: 0) == {
        "all": {
            "m": {"m": {"t": "g.h.t", "d": 2}, "of": "g.h", "d": 1},
            "of": "g",
            "d": 0,
        }
    }


def loop(*arguments):
    body = Body(
        graph=graph(task("l.t", *arguments)),
        result=DictOf(items=(("t", FromTask(task="l.t")), ("old", FromState(node="l", path=("best",))))),
    )
    until = Expression(text="$_0_", operands=(FromState(node="l", path=("done",)),))
    return task("l", body=body, loop=Loop(start=FromTask(task="a"), until=until, max_rounds=9))


def test_the_state_of_a_loop_is_where_it_starts_or_what_the_round_before_carried():
    found = specs_of(
        "l.t",
        task("a"),
        loop(("s", FromState(node="l", path=("k",))), ("n", FromState(node="l", counter=True))),
    )
    carry = {"d": {"t": {"t": "l.t", "d": 1}, "old": {"s": {}, "d": 0, "p": ["best"]}}}
    assert found == {"s": {"s": {"start": {"t": "a"}, "carry": carry}, "d": 0, "p": ["k"]}, "n": {"c": 0}}


def test_the_value_of_a_loop_is_what_its_last_round_carried():
    asked = []
    places = Places.of(graph(task("a"), loop(), task("b", ("x", FromTask(task="l", path=("t",))))))

    def number(what):
        asked.append(what)
        return 4

    found = argument_specs("b", places, number)["x"]
    assert (found["p"], found["part"]["of"], found["part"]["d"], found["part"]["x"]) == (["t"], "l", 0, 4)
    assert found["part"]["last"]["d"]["t"] == {"t": "l.t", "d": 1}
    assert asked == [Rounds("l")]


def test_the_last_round_is_not_asked_for_where_its_record_is_not_seen():
    group = mapped("g", ("x", FromTask(task="a")), body=Body(graph=graph(loop()), result=FromTask(task="l")))
    found = specs_of("b", task("a"), group, task("b", ("x", FromTask(task="g"))))
    assert found["x"]["m"]["of"] == "l"
    assert "x" not in found["x"]["m"]


def test_the_value_of_a_nested_dag_is_in_its_run_with_its_params_filled_in():
    result = DictOf(
        items=(("m", FromTask(task="fit", path=("k",))), ("p", FromParam(param="rate", path=("u",))))
    )
    nested = NestedDag(dag="other", call="n:other", params=(("rate", FromTask(task="a")),), result=result)
    found = specs_of("b", task("a"), task("c", nested=nested), task("b", ("x", FromTask(task="c"))))
    assert found["x"] == {
        "d": {
            "m": {"n": {"t": "fit", "p": ["k"]}, "dag": "other", "call": "n:other", "of": "c"},
            "p": {"part": {"t": "a"}, "p": ["u"]},
        }
    }


def test_the_value_of_a_speculation_is_that_of_its_task_at_the_same_depth():
    body = Body(graph=graph(task("s.t")), result=FromTask(task="s.t"))
    node = task("s", body=body, speculation=Speculation(decider="if", cases=("if",)))
    assert specs_of("b", node, task("b", ("x", FromTask(task="s")))) == {"x": {"t": "s.t"}}


@pytest.mark.parametrize(
    "found, expected",
    [
        ({"t": "a", "d": 1}, [("a", 1)]),
        ({"l": [{"t": "a"}, {"d": {"k": {"part": {"t": "b"}, "p": [0]}}}]}, [("a", 0), ("b", 0)]),
        ({"kw": {"pick": [{"t": "a"}, {"v": 1}], "div": 1, "d": 0}}, [("a", 0)]),
        ({"m": {"t": "a", "d": 1}, "of": "a", "d": 0}, []),
    ],
)
def test_references_are_those_that_the_reader_itself_sees(found, expected):
    assert list(task_references(found)) == expected


def test_a_task_that_no_graph_has_is_a_reference_all_the_same():
    assert spec(FromTask(task="gone"), "b", Places.of(graph(task("b"))), lambda _: 0) == {"t": "gone"}
