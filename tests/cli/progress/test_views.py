"""What people see of a run while it goes on."""

import io

import pytest
from rich.console import Console

from stepweave.cli.progress.lines import LineView
from stepweave.cli.progress.live import LiveView
from stepweave.cli.progress.tally import OTHERS, Tally
from stepweave.cli.progress.words import count, duration, first_line, items_text
from stepweave.embedded.taskruns import APPROVAL, Items, TaskRuns


def play(runs: TaskRuns) -> None:
    """a succeeds after a retry, b fails, c cannot run."""
    runs.called("a", 0)
    runs.started("a")
    runs.failed("a", "TransientError", "connection reset", again=True)
    runs.called("a", 1)
    runs.started("a")
    runs.succeeded("a", {})
    runs.called("b", 0)
    runs.started("b")
    runs.failed("b", "DataError", "[bold]no rows[/bold]\nTraceback", again=False)
    runs.did_not_run({"c": "upstream_failed"})


def test_lines_tell_ends_and_retries_only() -> None:
    out = io.StringIO()
    clock = iter(range(100))
    play(TaskRuns("abc", [LineView(out)], now=lambda: float(next(clock))))
    assert out.getvalue().splitlines() == [
        "up_for_retry     a  TransientError: connection reset",
        "success          a  1.00 s  attempt 2",
        "failed           b  1.00 s  DataError: [bold]no rows[/bold]",
        "upstream_failed  c",
    ]


def test_a_tally_counts_by_group_and_status() -> None:
    tally = Tally({"a": "load", "b": OTHERS, "c": OTHERS})
    play(TaskRuns("abc", [tally]))
    assert tally.ended == tally.total == 3
    assert {status: number for status, number in tally.groups[OTHERS].items() if number} == {
        "failed": 1,
        "upstream_failed": 1,
    }
    assert tally.count("success") == 1
    assert list(tally.failed) == ["b"]
    assert tally.active == {}


def test_a_tally_knows_what_is_running() -> None:
    tally = Tally({"a": OTHERS})
    runs = TaskRuns("a", [tally])
    runs.called("a", 0)
    assert tally.active == {}
    runs.started("a")
    assert list(tally.active) == ["a"]


def drawn(tasks: list[str], height: int = 60) -> str:
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, color_system=None, width=100, height=height, legacy_windows=False
    )
    view = LiveView("digits", {task: f"group {index % 3}" for index, task in enumerate(tasks)}, console)
    runs = TaskRuns(tasks, [view])
    with view:
        play(runs)
    return out.getvalue()


def test_a_terminal_shows_each_of_a_few_tasks_as_text_not_as_markup() -> None:
    screen = drawn(["a", "b", "c"])
    assert "digits" in screen
    assert "3/3" in screen
    assert "✓ a" in screen
    assert "attempt 2" in screen
    assert "DataError: [bold]no rows[/bold]" in screen
    assert "upstream_failed" in screen


def test_a_terminal_sums_up_many_tasks_by_group_and_names_those_that_failed() -> None:
    screen = drawn(["a", "b", "c", *(f"t{index}" for index in range(1000))])
    assert "3/1,003" in screen
    assert "333 to come" in screen
    assert "✗ b" in screen
    assert "t999" not in screen


def test_a_small_terminal_is_not_overrun() -> None:
    screen = drawn(["a", "b", "c", *(f"t{index}" for index in range(30))], height=20)
    assert "to come" in screen


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0.0004, "0.4 ms"),
        (0.012, "12 ms"),
        (0.9996, "1.00 s"),
        (3.214, "3.21 s"),
        (125, "2 min 5 s"),
        (3780, "1 h 3 min"),
    ],
)
def test_durations_are_written_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_counts_have_their_noun_in_the_right_number() -> None:
    assert (count(1, "task"), count(10_000, "task")) == ("1 task", "10,000 tasks")


def test_a_first_line_has_no_control_characters() -> None:
    assert first_line("\n \x1b[31mred\x07\nmore") == "[31mred"


def mapped_run(view: object) -> TaskRuns:
    """A map of three items of which one fails, then an approval that waits."""
    clock = iter(range(100))
    runs = TaskRuns(["m", "ok"], [view], now=lambda: float(next(clock)))  # type: ignore[list-item]
    runs.at("m").items = items = Items(total=3)
    runs.goes_on("m")
    for index, status in (("0", "success"), ("1", "failed"), ("2", "success")):
        runs.called("m", 0, index)
        runs.started("m", index)
        if status == "success":
            runs.succeeded("m", {}, index=index)
        else:
            runs.failed("m", "DataError", "no rows", again=False, index=index)
        items.count(status)  # type: ignore[arg-type]
        runs.changed("m")
    runs.ended_as("m", "failed")
    runs.called("ok", 0)
    runs.waits("ok", message=APPROVAL)
    return runs


def test_lines_tell_the_failed_items_of_a_map_its_counts_and_what_waits_for_a_person() -> None:
    out = io.StringIO()
    mapped_run(LineView(out, "sales-1", " --store elsewhere"))
    assert out.getvalue().splitlines() == [
        "sales-1",
        "failed           m[1]  1.00 s  DataError: no rows",
        "failed           m  10.00 s  3/3 · 1 failed",
        "waiting          ok  waiting for approval: stepweave approve sales-1 ok --store elsewhere",
    ]


def test_a_terminal_shows_a_map_in_one_row_and_what_waits_for_a_person() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system=None, width=120, height=60)
    view = LiveView("sales-1", {"m": OTHERS, "ok": OTHERS}, console)
    with view:
        mapped_run(view)
    screen = out.getvalue().split("\x1b[2K")[-1]
    assert "3/3 · 1 failed" in out.getvalue()
    assert "m[1] DataError: no rows" in out.getvalue()
    assert "stepweave approve sales-1 ok" in screen


def test_rounds_are_counted_as_rounds() -> None:
    items = Items(total=5, are_rounds=True)
    items.count("success")
    assert items_text(items) == "1 of at most 5 rounds"
    assert items_text(Items(total=10_000, success=8_430, failed=1)) == "8,431/10,000 · 1 failed"
