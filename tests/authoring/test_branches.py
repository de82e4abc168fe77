"""Branches and short circuits: which tasks they decide about follows from the edges, as in Airflow."""

from __future__ import annotations

from typing import Literal

from hypothesis import assume, given
from hypothesis import strategies as st

from stepweave import If, chain, task, task_group
from stepweave.graph.constructs import Decision, Guard
from stepweave.graph.model import Graph
from tests.authoring.written import graph_of, load, show


@task.branch
def pick(rows: object = None) -> str: ...


@task.branch
def pick_named() -> Literal["show", "load"] | None: ...


@task.short_circuit
def go_on() -> bool: ...


@task.short_circuit(ignore_downstream_trigger_rules=False)
def go_on_once() -> bool: ...


def cases(graph: Graph, task: str) -> list[tuple[str, tuple[str, ...]]]:
    assert not any(guard.block for guard in graph[task].guards)
    return [(guard.decider, guard.cases) for guard in graph[task].guards]


def test_a_branch_may_choose_each_task_directly_downstream() -> None:
    def written():
        pick(load()) >> [show.override(task_id="a")(), show.override(task_id="b")()]

    graph = graph_of(written)

    assert graph["pick"].decides == Decision(kind="branch", cases=("a", "b"))
    assert (cases(graph, "a"), cases(graph, "b")) == ([("pick", ("a",))], [("pick", ("b",))])
    assert graph["a"].upstream == ("pick",)


def test_a_join_that_a_chosen_task_leads_to_runs_with_it() -> None:
    def written():
        branch = pick()
        a, b, join = (show.override(task_id=name)() for name in ("a", "b", "join"))
        branch >> [a, b, join]
        a >> join

    graph = graph_of(written)

    assert cases(graph, "join") == [("pick", ("a", "join"))]
    assert cases(graph, "b") == [("pick", ("b",))]


def test_what_is_further_down_is_left_to_its_trigger_rule() -> None:
    def written():
        chain(pick(), [show(), show()], [load(), load()])

    graph = graph_of(written)

    assert cases(graph, "load") == cases(graph, "load__1") == []


def test_a_group_directly_downstream_may_be_chosen_by_its_id() -> None:
    def written():
        branch = pick()
        with task_group("outer"), task_group("g") as group:
            first, second = show(), load()
            first >> second
        branch >> [group, show.override(task_id="other")()]

    graph = graph_of(written)

    assert graph["pick"].decides == Decision(
        kind="branch", cases=("outer.g.show", "outer", "outer.g", "other")
    )
    assert cases(graph, "outer.g.show") == [("pick", ("outer.g.show", "outer", "outer.g"))]
    assert cases(graph, "outer.g.load") == []


def test_a_task_in_the_middle_of_a_group_does_not_stand_for_the_group() -> None:
    def written():
        branch = pick()
        with task_group("g"):
            first, second = show(), load()
            first >> second
        branch >> second

    assert cases(graph_of(written), "g.load") == [("pick", ("g.load",))]


def test_a_branch_inside_a_group_chooses_tasks_of_the_group() -> None:
    def written():
        with task_group("g"):
            pick() >> [show(), load()]

    assert cases(graph_of(written), "g.show") == [("g.pick", ("g.show",))]


def test_a_branch_may_name_what_it_returns_without_the_group() -> None:
    def written():
        with task_group("g"):
            pick_named() >> [show(), load()]

    assert graph_of(written)["g.pick_named"].decides == Decision(kind="branch", cases=("g.show", "g.load"))


def test_a_short_circuit_decides_about_everything_downstream() -> None:
    def written():
        first, second = show(), load()
        chain(go_on(), first, second)
        load("elsewhere")

    graph = graph_of(written)

    assert graph["go_on"].decides == Decision(kind="short_circuit", cases=("go",))
    assert cases(graph, "show") == cases(graph, "load") == [("go_on", ("go",))]
    assert cases(graph, "load__1") == []


def test_a_short_circuit_may_leave_the_rest_to_trigger_rules() -> None:
    def written():
        chain(go_on_once(), show(), load())

    graph = graph_of(written)

    assert cases(graph, "show") == [("go_on_once", ("go",))]
    assert cases(graph, "load") == []


def test_clean_up_runs_whatever_was_decided() -> None:
    def written():
        first = show()
        go_on() >> first
        first >> load.override(teardown=True)()
        pick() >> [show(), load.override(teardown=True, task_id="clean")()]

    graph = graph_of(written)

    assert cases(graph, "load") == cases(graph, "clean") == []


def test_guards_are_in_the_order_of_the_decisions() -> None:
    def written(a: int = 1):
        gate = go_on()
        with If(a > 0) as block:
            show()
        gate >> block

    assert graph_of(written)["show"].guards == (
        Guard(decider="go_on", cases=("go",)),
        Guard(decider="if", cases=("if",), block=True),
    )


def test_a_short_circuit_in_a_block_decides_after_its_condition() -> None:
    def written(a: int = 1):
        with If(a > 0):
            go_on() >> show()

    assert [guard.decider for guard in graph_of(written)["show"].guards] == ["if", "go_on"]


@st.composite
def drawn_edges(draw: st.DrawFn) -> list[list[int]]:
    """For each of up to eight tasks, the tasks before it that it follows; 0 is the branch."""
    count = draw(st.integers(2, 8))
    return [draw(st.lists(st.integers(0, task), unique=True, max_size=3)) for task in range(count - 1)]


@given(drawn_edges(), st.sets(st.integers(1, 8)))
def test_a_choice_skips_what_airflow_skips(edges: list[list[int]], choice: set[int]) -> None:
    """Of the tasks directly downstream: those not chosen, unless a chosen one leads to them.

    https://github.com/apache/airflow/blob/main/providers/standard/src/airflow/providers/standard/operators/branch.py
    """
    direct = {number for number, upstream in enumerate(edges, 1) if 0 in upstream}
    assume(direct)
    chosen = choice & direct
    kept = set(chosen)
    for number, upstream in enumerate(edges, 1):  # upstream tasks have smaller numbers
        if kept & set(upstream):
            kept.add(number)

    def written():
        tasks = [pick()]
        for upstream in edges:
            tasks.append(show.override(task_id=f"t{len(tasks)}")())
            [tasks[up] for up in upstream] >> tasks[-1]

    graph = graph_of(written)

    names = {f"t{number}" for number in chosen}
    running = {one for one in direct if all(names & set(guard.cases) for guard in graph[f"t{one}"].guards)}
    assert running == direct & kept
