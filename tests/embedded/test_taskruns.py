"""What is known of the tasks of a run while it goes on."""

from itertools import count

from stepweave.embedded.taskruns import TaskRun, TaskRuns


def book(*tasks: str) -> tuple[TaskRuns, list[tuple[str, str | None]]]:
    told: list[tuple[str, str | None]] = []
    clock = count()
    runs = TaskRuns(tasks, [lambda run: told.append((run.task, run.status))], now=lambda: float(next(clock)))
    return runs, told


def test_a_task_that_succeeds_passes_through_the_live_statuses() -> None:
    runs, told = book("a")
    runs.called("a", 0)
    runs.started("a")
    runs.succeeded("a", {"status": "success", "value": "1.0"})
    assert told == [("a", "scheduled"), ("a", "running"), ("a", "success")]
    run = runs.by_id["a"]
    assert (run.attempts, run.duration_seconds, run.waited_seconds, run.value) == (1, 1.0, 1.0, "1.0")


def test_a_task_that_is_tried_again_forgets_its_error_when_it_succeeds() -> None:
    runs, told = book("a")
    runs.called("a", 0)
    runs.started("a")
    runs.failed("a", "TransientError", "no", again=True)
    runs.called("a", 1)
    runs.started("a")
    runs.succeeded("a", {"status": "success", "ref": "runs/x"})
    assert [status for _, status in told][2] == "up_for_retry"
    run = runs.by_id["a"]
    assert (run.attempts, run.error, run.ref, run.value) == (2, "", "runs/x", None)
    assert run.ready == 0
    assert run.duration_seconds == 1


def test_an_interrupted_run_fails_what_was_going_on_and_nothing_else() -> None:
    runs, _ = book("done", "going", "never")
    for task in ("done", "going"):
        runs.called(task, 0)
        runs.started(task)
    runs.succeeded("done", {})
    runs.interrupted()
    assert {task: run.status for task, run in runs.by_id.items()} == {
        "done": "success",
        "going": "failed",
        "never": None,
    }
    assert runs.by_id["going"].error == "Cancelled"


def test_tasks_that_did_not_run_end_without_a_duration() -> None:
    runs, _ = book("a", "b")
    runs.did_not_run({"b": "upstream_failed"})
    assert runs.statuses() == {"b": "upstream_failed"}
    assert runs.by_id["b"].duration_seconds == 0
    assert TaskRun("x").has_ended is False
