"""If, Elif, Else: a condition node, and guards on what is called in the blocks."""

from __future__ import annotations

from stepweave import Elif, Else, If, Loop, task_group
from stepweave.graph.constructs import Condition, Guard, Speculation
from stepweave.graph.model import DictOf, Expression, FromParam, FromTask, Graph
from tests.authoring.written import graph_of, is_good, load, score, show


def guards(graph: Graph, task: str) -> list[tuple[str, tuple[str, ...]]]:
    assert all(guard.block for guard in graph[task].guards)
    return [(guard.decider, guard.cases) for guard in graph[task].guards]


def test_a_condition_is_a_node_after_the_tasks_that_its_tests_read() -> None:
    def written(limit: float = 0.5):
        rows = load()
        value = score(rows)
        with If(value >= limit):
            show(1)
        with Elif(rows["size"] > 3):
            show(2)
        with Else():
            show(3)

    graph = graph_of(written)

    node = graph["if"]
    assert (node.call, node.upstream) == ("", ("score", "load"))
    assert node.condition == Condition(
        cases=(
            (
                "if",
                Expression(text="$_0_ >= $_1_", operands=(FromTask(task="score"), FromParam(param="limit"))),
            ),
            ("elif_1", Expression(text="$_0_ > 3", operands=(FromTask(task="load", path=("size",)),))),
        )
    )
    assert graph["score"].fields == ((),)
    assert graph["load"].fields == (("size",),)
    assert guards(graph, "show") == [("if", ("if",))]
    assert guards(graph, "show__1") == [("if", ("elif_1",))]
    assert guards(graph, "show__2") == [("if", ("else",))]
    assert graph["show"].upstream == ()


def test_blocks_in_blocks_guard_from_outside_to_inside() -> None:
    def written(a: int = 1, b: int = 1):
        with If(a > 0):
            with If(b > 0):
                show()
            with Else():
                show()
            show()

    graph = graph_of(written)

    assert guards(graph, "if__1") == [("if", ("if",))]
    assert guards(graph, "show") == [("if", ("if",)), ("if__1", ("if",))]
    assert guards(graph, "show__1") == [("if", ("if",)), ("if__1", ("else",))]
    assert guards(graph, "show__2") == [("if", ("if",))]


def test_an_else_belongs_to_the_if_at_its_own_level() -> None:
    def written(a: int = 1, b: int = 1):
        with If(a > 0), If(b > 0):
            show()
        with Else():
            show()

    assert guards(graph_of(written), "show__1") == [("if", ("else",))]


def test_several_elifs_are_numbered() -> None:
    def written(a: int = 1):
        with If(a > 3):
            show()
        with Elif(a > 2):
            show()
        with Elif(a > 1):
            show()

    condition = graph_of(written)["if"].condition

    assert condition is not None
    assert [name for name, _ in condition.cases] == ["if", "elif_1", "elif_2"]


def test_ids_of_conditions_follow_groups_and_names_of_ones_own() -> None:
    def written(a: int = 1):
        with task_group("prepare"), If(a > 3):
            show()
        with If(a > 3, id="large"):
            show()

    assert [task.id for task in graph_of(written).tasks] == ["prepare.if", "prepare.show", "large", "show"]


def test_a_group_in_a_block_is_guarded_as_a_whole() -> None:
    def written(a: int = 1):
        with If(a > 3), task_group("g"):
            one, two = show(), show()
            one >> two

    graph = graph_of(written)

    assert guards(graph, "g.show") == guards(graph, "g.show__1") == [("if", ("if",))]


def test_a_reference_to_a_truth_value_is_a_condition() -> None:
    def written(go: bool = True):
        with If(go):
            show()
        with If(is_good(load())):
            show()
        with If(~go & (load()["k"] == "yes")):
            show()

    conditions = [task.condition for task in graph_of(written).tasks if task.condition]

    assert [one.cases[0][1].text for one in conditions] == ["$_0_", "$_0_", "($not($_0_)) and ($_1_ = 'yes')"]


def test_when_puts_a_condition_around_one_call() -> None:
    def written(a: int = 1):
        rows = load()
        show.override(when=rows["k"] > a)(rows)
        show()

    graph = graph_of(written)

    assert guards(graph, "show") == [("if", ("if",))]
    assert guards(graph, "show__1") == []


def test_an_order_before_a_block_means_its_condition() -> None:
    def written(a: int = 1):
        first = load()
        with If(a > 0) as block:
            show()
        first >> block

    graph = graph_of(written)

    assert graph["if"].upstream == ("load",)
    assert graph["show"].upstream == ()


def test_the_ends_of_a_group_know_its_conditions() -> None:
    def written(a: int = 1):
        before, after = load(), load()
        with task_group("g") as group, If(a > 0):
            show()
        before >> group >> after

    graph = graph_of(written)

    assert graph["g.if"].upstream == ("load",)
    assert graph["g.show"].upstream == ()
    assert graph["load__1"].upstream == ("g.show",)


def test_a_condition_inside_a_body_belongs_to_the_body() -> None:
    def written(a: int = 1):
        rows = load()
        with If(a > 0), Loop({"k": 1}, until=lambda state: state["k"] > 3, max_rounds=2) as loop:
            with If(rows["x"] > 0):
                show(rows)
            loop.carry(loop.state)

    graph = graph_of(written)
    body = graph["loop"].body

    assert body is not None
    assert guards(graph, "loop") == [("if", ("if",))]
    assert guards(body.graph, "loop.show") == [("loop.if", ("if",))]
    assert graph["loop"].upstream == ("load",)
    assert body.graph["loop.if"].upstream == ()


def test_a_likely_block_is_one_node_that_starts_before_the_condition() -> None:
    def written():
        rows = load()
        with If(score(rows) > 0.5, likely=True):
            model = load("model")
            show(model["name"])
            show(rows)

    graph = graph_of(written)
    node = graph["likely"]

    assert node.speculation == Speculation(decider="if", cases=("if",))
    assert (node.upstream, node.guards) == (("load",), ())
    assert node.body is not None
    assert [task.id for task in node.body.graph.tasks] == ["likely.load", "likely.show", "likely.show__1"]
    assert all(not task.guards for task in node.body.graph.tasks)


def test_values_of_a_likely_block_are_read_outside_through_its_node() -> None:
    def written(a: int = 1):
        with If(a > 0, likely=True):
            model = load("model")
        with Else():
            show(0)
        show(model["name"])
        with If(model["auc"] > 0.5):
            show()

    graph = graph_of(written)
    body = graph["likely"].body

    assert body is not None
    assert body.result == DictOf(items=(("load", FromTask(task="likely.load")),))
    assert graph["show__1"].arguments == (("value", FromTask(task="likely", path=("load", "name"))),)
    assert graph["likely"].fields == (("load", "auc"),)
    assert guards(graph, "show") == [("if", ("else",))]


def test_a_likely_block_in_a_block_is_guarded_by_the_outer_one_alone() -> None:
    def written(a: int = 1):
        with If(a > 0), If(a > 1, likely=True):
            show()

    assert graph_of(written)["likely"].guards == (Guard(decider="if", cases=("if",), block=True),)
