"""What people see of a run while it goes on."""

import io

import pytest
from rich.console import Console

from stepweave.cli.progress.lines import LineView
from stepweave.cli.progress.live import LiveView
from stepweave.cli.progress.tally import OTHERS, Tally
from stepweave.cli.progress.words import count, duration, first_line
from stepweave.embedded.taskruns import TaskRuns


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
