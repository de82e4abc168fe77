"""A sample of every drill; ``python -m tests.drills`` is the whole."""

from __future__ import annotations

import pytest

from tests.drills import callbacks, clocks, crash, dag, disk, everything, interrupts, sagas, stopping, workers
from tests.drills.commands import timed


def test_an_engine_that_is_killed_loses_and_repeats_nothing() -> None:
    counts = crash.drill(5, seed=2)
    assert counts.wrong == []
    assert counts.figures["kills"] >= 5
    assert counts.figures["outputs_equal"] == counts.figures["executions"] >= 1
    assert counts.figures["repeated_after_commit"] == 0


def test_a_run_that_is_killed_commits_each_task_once() -> None:
    counts = dag.drill(3, seed=2)
    assert counts.wrong == []
    assert counts.figures["kills"] >= 3
    assert counts.figures["values_equal"] == counts.figures["runs"] >= 1


def test_a_run_with_every_construct_that_is_killed_ends_as_one_that_is_not() -> None:
    counts = everything.drill(2, seed=2)
    assert counts.wrong == []
    assert counts.figures["kills"] >= 2
    assert counts.figures["values_equal"] >= 1
    assert counts.figures["repeated_after_commit"] == 0


def test_a_run_that_is_killed_while_it_is_undone_leaves_nothing_and_undoes_nothing_twice() -> None:
    counts = sagas.drill(2, seed=2)
    assert counts.wrong == []
    assert counts.figures["kills"] >= 2
    assert counts.figures["undos"] >= 7
    assert counts.figures["undone_twice"] == counts.figures["repeated_after_commit"] == 0


def test_a_run_that_is_stopped_in_any_way_is_cleaned_up_after_and_goes_on() -> None:
    counts = stopping.drill(len(stopping.WAYS), seed=2)
    assert counts.wrong == []
    assert counts.figures["stopped"] == counts.figures["resumed"] >= 3


def test_calls_of_workers_that_die_are_made_again() -> None:
    counts = workers.drill(4, seed=2)
    assert counts.wrong == []
    assert counts.figures["deaths"] == 4


def test_an_engine_whose_disk_is_full_goes_on_when_there_is_room() -> None:
    counts = disk.drill(1, seed=3)
    assert counts.wrong == []
    assert counts.figures["full"] >= 1
    assert counts.figures["outputs_equal"] == counts.figures["executions"] >= 1


def test_an_engine_that_is_interrupted_twice_leaves_nothing_and_goes_on() -> None:
    counts = interrupts.drill(1, seed=2)
    assert counts.wrong == []
    assert counts.figures["interrupted"] >= 1
    assert counts.figures["outputs_equal"] == counts.figures["executions"] >= 1


def test_a_clock_that_jumps_ends_and_lengthens_nothing() -> None:
    counts = clocks.drill(60, seed=2)
    assert counts.wrong == []
    assert counts.figures["jumps"] >= 60
    assert counts.figures["resumes"] == 40


def test_of_several_answers_to_a_token_one_counts() -> None:
    counts = callbacks.drill(20, seed=2)
    assert counts.wrong == []
    assert counts.figures["tokens"] == 20 * callbacks.TOKENS
    assert counts.figures["refused"] > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_engine_that_is_killed_at_many_moments_loses_and_repeats_nothing() -> None:
    counts = timed(crash.drill, 40, 3)
    assert counts.wrong == []
    assert counts.figures["kills"] >= 40
