"""Conditions, maps, loops, sensors, approvals and bodies on a virtual clock."""

import pytest

from stepweave.errors import UsageError
from stepweave.graph.constructs import (
    Approval,
    Body,
    Condition,
    Decision,
    Expansion,
    Guard,
    Loop,
    Sensor,
    Speculation,
)
from stepweave.graph.model import (
    DagInfo,
    Expression,
    FromState,
    FromTask,
    Graph,
    ListOf,
    Literal,
    Resources,
    Task,
)
from stepweave.simulation.simulating import Simulation, beyond_timeout, simulate

FIELD = FromTask(task="a", path=("n",))


def graph_of(*tasks: Task) -> Graph:
    return Graph(dag=DagInfo(id="d"), tasks=tasks)


def guarded(task: str, case: str, *upstream: str) -> Task:
    guard = Guard(decider="if", cases=(case,), block=True)
    return Task(id=task, call="m:f", upstream=upstream, guards=(guard,))


CHOICE = graph_of(
    Task(id="a", call="m:f", fields=(("n",),)),
    Task(
        id="if",
        call="",
        upstream=("a",),
        condition=Condition(cases=(("if", Expression(text="$_0_ > 1", operands=(FIELD,))),)),
    ),
    guarded("yes", "if"),
    guarded("no", "else"),
)
MAPPED = graph_of(
    Task(id="a", call="m:f"),
    Task(
        id="m",
        call="m:f",
        upstream=("a",),
        expansion=Expansion(how="product", arguments=(("x", FromTask(task="a")),), max_concurrency=2),
    ),
    Task(id="after", call="m:f", upstream=("m",), arguments=(("xs", FromTask(task="m")),)),
)
LOOP = graph_of(
    Task(
        id="l",
        call="",
        loop=Loop(
            start=Literal(json="0"),
            until=Expression(text="$_0_ > 3", operands=(FromState(node="l"),)),
            max_rounds=9,
        ),
        body=Body(
            graph=graph_of(Task(id="l.t", call="m:f", arguments=(("x", FromState(node="l")),))),
            result=FromTask(task="l.t"),
        ),
    ),
    Task(id="after", call="m:f", upstream=("l",)),
)


def both(result: Simulation) -> float:
    """The makespan, which is the length of the critical path."""
    assert result.makespan_seconds == result.critical_path_seconds
    return result.makespan_seconds


@pytest.mark.parametrize("chosen, seconds, last", [({}, 4, "yes"), ({"if": "else"}, 8, "no")])
def test_a_condition_takes_the_case_that_is_said(chosen: dict[str, str], seconds: float, last: str) -> None:
    result = simulate(CHOICE, {"a": 1, "yes": 3, "no": 7}, chosen=chosen)
    assert both(result) == seconds
    assert result.critical_path == ("a", "if", last)


@pytest.mark.parametrize("count, seconds", [(None, 1 + 2 + 1), (5, 1 + 3 * 2 + 1), (0, 1)])
def test_a_map_takes_as_many_waves_as_its_items_need(count: int | None, seconds: float) -> None:
    items = {} if count is None else {"m": count}
    assert both(simulate(MAPPED, {"m": 2}, items=items)) == seconds


@pytest.mark.parametrize("resources, waves", [(Resources(), 2), (Resources(gpu=1), 1)])
def test_of_a_large_map_as_many_items_run_at_once_as_the_machine_lets(
    resources: Resources, waves: int
) -> None:
    expansion = Expansion(how="product", arguments=(("x", FromTask(task="a")),))
    mapped = Task(id="m", call="m:f", upstream=("a",), expansion=expansion, resources=resources)
    graph = graph_of(Task(id="a", call="m:f"), mapped)
    assert both(simulate(graph, {"m": 2}, items={"m": 501})) == 1 + 2 * waves


def test_a_map_costs_by_its_items() -> None:
    few, many = (simulate(MAPPED, {}, items={"m": count}) for count in (10, 20))
    assert many.transitions - few.transitions == 10
    assert many.cost_usd > few.cost_usd


def test_the_items_of_a_batch_come_one_after_another() -> None:
    items = ListOf(items=tuple(Literal(json=str(number)) for number in range(5)))
    expansion = Expansion(how="product", arguments=(("x", items),), batch_size=2)
    graph = graph_of(Task(id="m", call="m:f", expansion=expansion))
    assert both(simulate(graph, {"m": 3})) == 6


def test_a_loop_runs_as_many_rounds_as_are_said() -> None:
    assert both(simulate(LOOP, {"l.t": 2})) == 3
    assert both(simulate(LOOP, {"l.t": 2}, items={"l": 4})) == 9


def test_a_branch_takes_its_first_task_unless_told() -> None:
    pick = Task(id="pick", call="m:f", decides=Decision(kind="branch", cases=("x", "y")))
    after = [
        Task(id=name, call="m:f", upstream=("pick",), guards=(Guard(decider="pick", cases=(name,)),))
        for name in ("x", "y")
    ]
    graph = graph_of(pick, *after)
    assert both(simulate(graph, {"x": 2, "y": 5})) == 3
    assert both(simulate(graph, {"x": 2, "y": 5}, chosen={"pick": "y"})) == 6


def test_sensors_and_approvals_take_the_time_that_is_said() -> None:
    graph = graph_of(
        Task(id="ready", call="m:f", sensor=Sensor()),
        Task(id="ok", call="", upstream=("ready",), approval=Approval(message=Literal(json='"Deploy?"'))),
        Task(id="deploy", call="m:f", upstream=("ok",)),
    )
    assert both(simulate(graph, {"ready": 10, "ok": 3600})) == 3611


def test_a_speculation_does_not_wait_for_its_decider() -> None:
    test = Expression(text="$_0_ > 1", operands=(FIELD,))
    graph = graph_of(
        Task(id="a", call="m:f", fields=(("n",),)),
        Task(id="if", call="", upstream=("a",), condition=Condition(cases=(("if", test),))),
        Task(
            id="s",
            call="",
            speculation=Speculation(decider="if", cases=("if",)),
            body=Body(graph=graph_of(Task(id="s.t", call="m:f")), result=FromTask(task="s.t")),
        ),
        Task(id="after", call="m:f", upstream=("s",)),
    )
    assert both(simulate(graph, {"a": 5, "s.t": 4})) == 6


@pytest.mark.parametrize(
    "items, chosen, message",
    [
        ({"a": 3}, {}, "'a' is no map and no loop; there are: none"),
        ({}, {"a": "x"}, "'a' chooses nothing; these do: if"),
        ({}, {"if": "maybe"}, "'if' chooses one of if, else"),
    ],
)
def test_assumptions_about_what_is_not_there_are_refused(
    items: dict[str, int], chosen: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        simulate(CHOICE, {}, items=items, chosen=chosen)


def test_tasks_in_bodies_have_timeouts_too() -> None:
    assert beyond_timeout(LOOP, {"l.t": 1000.0}) == {"l.t": (1000.0, 900)}
