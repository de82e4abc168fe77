"""Which events of a history belong together follows from which event follows which."""

from __future__ import annotations

from stepweave.deployed.lines import Lines
from tests.deployed.engine_histories import event


def entered(number: int, previous: int, name: str, kind: str = "Pass") -> dict[str, object]:
    return event(number, previous, f"{kind}StateEntered", name=name)


def exited(number: int, previous: int, name: str, kind: str = "Pass") -> dict[str, object]:
    return event(number, previous, f"{kind}StateExited", name=name)


def lines_of(*events: dict[str, object]) -> list[int]:
    lines = Lines()
    return [lines.of(each) for each in events]


def test_branches_are_lines_of_their_own_and_the_line_around_goes_on_after_the_last() -> None:
    assert lines_of(
        event(1, 0, "ExecutionStarted", input={}),
        entered(2, 0, "both", "Parallel"),
        event(3, 2, "ParallelStateStarted"),
        entered(4, 3, "a"),
        entered(5, 3, "b"),
        exited(6, 5, "b"),
        exited(7, 4, "a"),
        event(8, 7, "ParallelStateSucceeded"),
        exited(9, 7, "both", "Parallel"),
        entered(10, 9, "end"),
    ) == [0, 0, 0, 1, 2, 2, 1, 1, 0, 0]


def test_an_iteration_that_takes_the_place_of_another_is_a_line_of_its_own() -> None:
    assert lines_of(
        entered(1, 0, "each", "Map"),
        event(2, 1, "MapStateStarted", length=2),
        event(3, 2, "MapIterationStarted", name="each", index=0),
        entered(4, 3, "one"),
        exited(5, 4, "one"),
        event(6, 5, "MapIterationSucceeded", name="each", index=0),
        event(7, 6, "MapIterationStarted", name="each", index=1),
        entered(8, 7, "one"),
        exited(9, 8, "one"),
        event(10, 9, "MapIterationSucceeded", name="each", index=1),
        event(11, 10, "MapStateSucceeded"),
        exited(12, 10, "each", "Map"),
    ) == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 0]


def test_branches_inside_branches_end_one_after_the_other() -> None:
    assert lines_of(
        entered(1, 0, "outer", "Parallel"),
        event(2, 1, "ParallelStateStarted"),
        entered(3, 2, "inner", "Parallel"),
        event(4, 3, "ParallelStateStarted"),
        entered(5, 4, "deep"),
        exited(6, 5, "deep"),
        exited(7, 6, "inner", "Parallel"),
        exited(8, 7, "outer", "Parallel"),
    ) == [0, 0, 1, 1, 2, 2, 1, 0]


def test_a_failed_branch_that_is_caught_leads_back_to_the_line_around() -> None:
    assert lines_of(
        entered(1, 0, "both", "Parallel"),
        event(2, 1, "ParallelStateStarted"),
        entered(3, 2, "a", "Task"),
        event(4, 3, "TaskScheduled", resourceType="lambda", resource="invoke", parameters={}),
        event(5, 4, "TaskFailed", error="E"),
        event(6, 5, "ParallelStateFailed"),
        exited(7, 6, "both", "Parallel"),
        entered(8, 7, "after"),
    ) == [0, 0, 1, 1, 1, 1, 0, 0]
