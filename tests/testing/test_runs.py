"""`MachineRun`: what a test can ask of a run."""

from __future__ import annotations

from typing import Any

import pytest

from stepweave.errors import UsageError
from stepweave.testing import Error, MachineRun, run_machine
from tests.engine.building import block, call, machine, passing


def orders(**options: Any) -> MachineRun:
    """A run with a Map of two iterations inside a Parallel of two branches."""
    inner = block(("Price", call("price", "{% $states.input %}", Output="{% $states.result.Payload %}")))
    each = {"Type": "Map", "Items": "{% [1, 2] %}", "ItemProcessor": inner}
    branches = [
        block(("Each", each)),
        block(("Pause", {"Type": "Wait", "Seconds": 5}), ("Mail", call("mail"))),
    ]
    definition = machine(("Begin", passing()), ("Both", {"Type": "Parallel", "Branches": branches}))
    return run_machine(
        definition, {"id": 1}, **{"fakes": {"price": lambda n: n * 10, "mail": None}, **options}
    )


def failing_at(item: int) -> MachineRun:
    def price(number: int) -> int:
        if number == item:
            raise Error("NoPrice", f"item {number}")
        return number

    return orders(fakes={"price": price, "mail": None})


def test_the_path_is_that_of_the_machine_itself() -> None:
    run = orders()

    assert run.path == ["Begin", "Both"]
    assert sorted(run.states) == ["Begin", "Both", "Each", "Mail", "Pause", "Price", "Price"]


def test_the_path_of_a_branch_and_of_an_iteration() -> None:
    run = orders()

    assert run.paths_of("Both") == [["Each"], ["Pause", "Mail"]]
    assert run.path_of("Both", 1) == ["Pause", "Mail"]
    assert run.path_of("Each") == ["Price"]
    assert run.path_of("Both", -2) == ["Each"]


def test_a_path_that_is_not_there_is_refused_with_what_is() -> None:
    run = orders()

    with pytest.raises(UsageError, match="'Both' has 2 branches or iterations; there is no number 2"):
        run.path_of("Both", 2)
    with pytest.raises(
        UsageError, match="no Parallel or Map 'Boht' was run; states entered: 'Begin', 'Both'"
    ):
        run.path_of("Boht")


def test_calls_say_what_was_called_with_what_and_what_came_of_it() -> None:
    run = orders(fakes={"price": lambda n: n * 10, "mail": [Error("Refused", "why"), None]})

    assert [(each.state, each.arguments["Payload"]) for each in run.calls] == [
        ("Price", 1),
        ("Price", 2),
        ("Mail", {}),
    ]
    assert [each.result["Payload"] for each in run.calls_to("Price")] == [10, 20]
    assert (run.calls_to("Mail")[0].error, run.calls_to("Mail")[0].cause) == ("Refused", "why")


def test_calls_count_the_retries_before_them() -> None:
    definition = machine(("Call", call("f", Retry=[{"ErrorEquals": ["Busy"]}])))

    run = run_machine(definition, fakes={"f": [Error("Busy"), Error("Busy"), 1]})

    assert [(each.attempt, each.error) for each in run.calls] == [(0, "Busy"), (1, "Busy"), (2, None)]
    assert [each.at - run.execution.started_at for each in run.calls] == [0, 1, 3]


def test_calls_are_found_by_state_by_resource_and_by_pattern() -> None:
    run = orders()

    assert len(run.calls_to("Price")) == 2
    assert len(run.calls_to("lambda:invoke")) == len(run.calls_to("lambda:*")) == 3
    assert run.calls_to("sns:publish") == []


def test_the_history_has_the_shape_of_get_execution_history() -> None:
    run = orders()

    assert run.history[0]["type"] == "ExecutionStarted"
    assert [event["id"] for event in run.history] == list(range(1, len(run.history) + 1))
    assert run.history[-1]["type"] == "ExecutionSucceeded"


def test_a_run_that_succeeded_gives_its_output() -> None:
    run = orders()

    assert (run.status, run.input, run.error, run.cause, run.failed_at) == (
        "SUCCEEDED",
        {"id": 1},
        None,
        None,
        None,
    )
    assert run.succeeded() == run.output
    assert run.elapsed == 5


def test_a_run_that_failed_says_where_by_which_line_of_states() -> None:
    run = failing_at(2)

    assert run.failed_at == "Both[0]/Each[1]/Price"
    assert run.failed_with("NoPrice") == "item 2"
    assert repr(run) == "<machine: FAILED at Both[0]/Each[1]/Price: NoPrice; path: Begin → Both>"


def test_a_failed_run_does_not_pass_for_a_successful_one() -> None:
    with pytest.raises(AssertionError) as failure:
        failing_at(1).succeeded()

    report = str(failure.value)
    assert report.startswith("machine: FAILED at Both[0]/Each[0]/Price: NoPrice\n")
    for line in ("  error   NoPrice", "  cause   item 1", '  input   {"id": 1}', "  path    Begin → Both"):
        assert line in report.splitlines()
    assert "ExecutionFailed" in report


def test_a_run_does_not_pass_for_one_with_another_error() -> None:
    with pytest.raises(AssertionError, match=r"expected the error Timeout\nmachine: FAILED at .*NoPrice"):
        failing_at(1).failed_with("Timeout")
    with pytest.raises(
        AssertionError, match=r'expected the error Timeout\nmachine: SUCCEEDED\n  input   \{"id": 1\}'
    ):
        orders().failed_with("Timeout")


def test_the_report_shows_the_message_and_the_end_of_the_trace_of_an_exception() -> None:
    def price(number: int) -> int:
        return number // 0

    report = orders(fakes={"price": price, "mail": None}).report()

    assert "  cause   integer division or modulo by zero\n" in report
    assert "test_runs.py" in report
    assert "return number // 0" in report


def test_the_report_shortens_what_is_long() -> None:
    report = run_machine(machine(("a", passing())), {"text": "x" * 10_000}).report()

    assert "…" in report
    assert max(len(line) for line in report.splitlines()) < 400


def test_the_report_of_a_machine_that_timed_out_has_no_cause() -> None:
    definition = machine(("Wait", {"Type": "Wait", "Seconds": 60}), TimeoutSeconds=10)

    report = run_machine(definition).report()

    assert report.startswith("machine: TIMED_OUT at Wait")
    assert "cause" not in report
