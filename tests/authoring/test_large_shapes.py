"""Shapes at the edge of what people write compile into machines that hold the limits of Step Functions."""

from collections.abc import Callable

import pytest

from stepweave import Elif, Else, If, Loop, approval, dag, task, task_group
from stepweave.compiler import Compiled, compile_graph
from stepweave.errors import DagError
from stepweave.planning.partition import MAX_DEFINITION_BYTES, MAX_HISTORY_EVENTS


@task
def grow(x: int) -> int:
    return x + 1


@task
def numbers(count: int) -> list[int]:
    return list(range(count))


@task
def total(values: list[int]) -> int:
    return sum(values)


def remove() -> None: ...


@task(compensate=remove)
def make(x: int) -> int:
    return x


@task_group
def pairs(x: int) -> object:
    return total(grow.expand(x=[x, 2]))


@task_group
def pairs_of_pairs(x: int) -> object:
    return total(pairs.expand(x=[x, 2]))


@task_group
def rounds_of_maps(x: int) -> object:
    with Loop(x, until=lambda state: state >= 5, max_rounds=6) as loop:
        loop.carry(total(grow.expand(x=numbers(3))))
    return loop.result


def three_maps() -> None:
    total(pairs_of_pairs.expand(x=numbers(3)))


def a_map_in_a_loop_in_a_map() -> None:
    total(rounds_of_maps.expand(x=numbers(3)))


def ten_thousand_rounds() -> None:
    with Loop(0, until=lambda state: state >= 3, max_rounds=10_000) as loop:
        loop.carry(grow(loop.state))


def three_hundred_conditions() -> None:
    x = grow(1)
    for number in range(300):
        with If(x > number):
            grow.override(task_id=f"t{number}")(x)


def fifty_cases() -> None:
    x = grow(20)
    with If(x == 0):
        grow(x)
    for number in range(1, 51):
        with Elif(x == number):
            grow(x)
    with Else():
        grow(x)


def five_escalations() -> None:
    approval("Deploy?", escalate=[([f"level-{number}"], "1h") for number in range(5)])


def two_thousand_undone() -> None:
    for number in range(2_000):
        make.override(task_id=f"m{number}")(number)


def compiled(shape: Callable[[], None]) -> Compiled:
    return compile_graph(dag(shape).graph())


@pytest.mark.parametrize(
    "shape",
    [
        three_maps, a_map_in_a_loop_in_a_map, ten_thousand_rounds, three_hundred_conditions, fifty_cases,
        five_escalations, two_thousand_undone,
    ],
)  # fmt: skip
def test_a_large_shape_keeps_the_limits(shape: Callable[[], None]) -> None:
    report = compiled(shape).report
    assert report.history_events <= MAX_HISTORY_EVENTS
    assert report.definition_bytes <= MAX_DEFINITION_BYTES


def test_a_loop_that_no_history_holds_is_refused_with_what_to_lower() -> None:
    def endless() -> None:
        with Loop(0, until=lambda state: state >= 3, max_rounds=10_000_000) as loop:
            loop.carry(grow(loop.state))

    with pytest.raises(DagError, match="max_rounds"):
        compiled(endless)
