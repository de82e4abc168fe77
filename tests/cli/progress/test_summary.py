"""What people read when a run has ended."""

from dataclasses import replace

from stepweave.cli.progress.summary import summary_lines
from stepweave.embedded.result import RunResult
from stepweave.embedded.taskruns import TaskRun
from stepweave.embedded.timing import where_time_went
from stepweave.graph.model import DagInfo, Graph


def ran(task: str, start: float, end: float, status: str = "success", **more: object) -> TaskRun:
    times = {"ready": start, "scheduled": start, "first_started": start, "started": start, "ended": end}
    return TaskRun(task, status, 1, **times, **more)  # type: ignore[arg-type]


def result_of(
    tasks: dict[str, TaskRun], upstream: dict[str, tuple[str, ...]], **changes: object
) -> RunResult:
    result = RunResult(
        run_id="sales-1",
        dag_id="sales",
        graph=Graph(dag=DagInfo(id="sales"), tasks=()),
        status="success",
        tasks=tasks,
        wall_seconds=10,
        error="",
        breakdown=where_time_went(upstream, tasks, 10),
        store=".stepweave",
        log_paths={},
        results=(("fit", ".stepweave/runs/sales/sales-1/fit/output.npy"),),
    )
    return replace(result, **changes)  # type: ignore[arg-type]


def text_of(result: RunResult) -> str:
    return "\n".join(line.text for line in summary_lines(result))


def test_a_success_tells_its_time_its_critical_path_and_its_results() -> None:
    tasks = {"load": ran("load", 0, 2), "fit": ran("fit", 3, 9), "other": ran("other", 3, 4)}
    text = text_of(result_of(tasks, {"load": (), "fit": ("load",), "other": ("load",)}))
    assert "✓ sales-1: success in 10.00 s (3 tasks: 3 success)" in text
    assert "  load      2.00 s" in text
    assert "  fit       6.00 s" in text
    assert "other" not in text
    assert "working 8.00 s (80%), waiting for a worker 0.0 ms (0%), overhead 2.00 s (20%)" in text
    assert ".stepweave/runs/sales/sales-1/fit/output.npy" in text
    assert "resume" not in text


def test_a_failure_names_the_tasks_their_errors_their_logs_and_how_to_go_on() -> None:
    tasks = {
        "load": ran("load", 0, 2, "failed", error="DataError", message="no rows\nin the file"),
        "fit": TaskRun("fit", "upstream_failed"),
    }
    result = result_of(
        tasks,
        {"load": (), "fit": ("load",)},
        status="failed",
        error="DagRunFailed: failed: load",
        log_paths={("load", ""): ".stepweave/x/0.log"},
        results=(),
        store="elsewhere",
    )
    text = text_of(result)
    assert "✗ sales-1: failed in 10.00 s (2 tasks: 1 failed, 1 upstream_failed)" in text
    assert "  load: DataError: no rows" in text
    assert "    log: .stepweave/x/0.log" in text
    assert "DagRunFailed" not in text
    assert text.endswith("Go on with what is missing: stepweave resume sales-1 --store elsewhere")


def test_a_run_that_failed_without_a_failed_task_tells_why() -> None:
    text = text_of(
        result_of({"a": TaskRun("a")}, {"a": ()}, status="failed", error="States.Timeout", results=())
    )
    assert "  States.Timeout" in text
    assert "1 not reached" in text


def test_short_steps_and_many_failures_are_summed_up() -> None:
    names = [f"t{index:02}" for index in range(30)]
    tasks = {name: ran(name, index / 3, (index + 1) / 3, "failed") for index, name in enumerate(names)}
    upstream = {name: tuple(names[index - 1 : index]) if index else () for index, name in enumerate(names)}
    text = text_of(result_of(tasks, upstream, status="failed"))
    assert "and 20 more: stepweave show sales-1" in text
    assert "20 shorter tasks: 6.67 s" in text
