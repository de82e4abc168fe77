"""Where the time of a run went."""

import pytest

from stepweave.embedded.taskruns import TaskRun
from stepweave.embedded.timing import critical_path, where_time_went


def ran(task: str, ready: float, start: float, end: float) -> TaskRun:
    return TaskRun(
        task, "success", 1, ready=ready, scheduled=ready, first_started=start, started=start, ended=end
    )


def test_the_chain_that_ended_last_is_the_path() -> None:
    upstream = {"a": (), "b": (), "c": ("a", "b")}
    runs = {"a": ran("a", 0, 0, 5), "b": ran("b", 0, 1, 3), "c": ran("c", 5, 6, 8)}
    breakdown = where_time_went(upstream, runs, 10)
    assert [step.task for step in breakdown.path] == ["a", "c"]
    assert breakdown.working_seconds == 7
    assert breakdown.queued_seconds == 1
    assert breakdown.overhead_seconds == 2


def test_working_queued_and_overhead_add_up_to_the_wall_time() -> None:
    upstream = {"a": (), "b": ("a",)}
    runs = {"a": ran("a", 0.5, 1, 2), "b": ran("b", 2.25, 3, 4)}
    breakdown = where_time_went(upstream, runs, 5)
    parts = breakdown.working_seconds + breakdown.queued_seconds + breakdown.overhead_seconds
    assert parts == pytest.approx(5)
    assert breakdown.queued_seconds == pytest.approx(1.25)


def test_the_path_passes_through_tasks_that_did_not_run() -> None:
    upstream = {"a": (), "skipped": ("a",), "c": ("skipped",)}
    runs = {"a": ran("a", 0, 0, 1), "skipped": TaskRun("skipped", "skipped"), "c": ran("c", 1, 1, 2)}
    assert [step.task for step in where_time_went(upstream, runs, 2).path] == ["a", "c"]


def test_a_run_in_which_nothing_ran_is_all_overhead() -> None:
    breakdown = where_time_went({"a": ()}, {"a": TaskRun("a")}, 0.5)
    assert breakdown.path == ()
    assert breakdown.overhead_seconds == 0.5


def test_the_critical_path_is_the_longest_chain_by_durations() -> None:
    upstream = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}
    assert critical_path(upstream, {"a": 1, "b": 2, "c": 5, "d": 1}) == (("a", "c", "d"), 7)


def test_a_task_without_a_duration_takes_no_time() -> None:
    assert critical_path({"a": (), "b": ("a",)}, {"b": 2}) == (("a", "b"), 2)


def test_an_empty_graph_has_an_empty_critical_path() -> None:
    assert critical_path({}, {}) == ((), 0)
