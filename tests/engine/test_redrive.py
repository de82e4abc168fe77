"""Redrive: what had succeeded stays, what had not runs again, in the same execution.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.journal import Journal
from stepweave.engine.parsing import parse
from stepweave.errors import UsageError
from tests.engine.building import Lab, block, call, echo, machine, passing

RESULT = "{% $states.result.Payload %}"


class Broken:
    """A function that fails for the items it is told to, until it is mended."""

    def __init__(self, *items: Any) -> None:
        self.items = set(items)
        self.calls: Counter[Any] = Counter()

    async def __call__(self, event: Any) -> Any:
        self.calls[event] += 1
        await asyncio.sleep(1)
        if event in self.items:
            raise ValueError(f"item {event}")
        return event * 10


def each(value: Any, **fields: Any) -> dict[str, Any]:
    return call("broken", value, Output=RESULT, **fields)


def redriven(lab: Lab, name: str = "run-1") -> Execution:
    async def again() -> Execution:
        return await lab.engine.wait(lab.engine.redrive(name).name)

    return lab.clock.run(again())


def test_a_chain_goes_on_at_the_state_that_failed() -> None:
    broken = Broken("{% 'b' %}", "b")
    states = [(name, each(f"{{% '{name}' %}}")) for name in "abc"]
    lab = Lab({"main": machine(*states)}, {"broken": broken})
    assert lab.run().status == "FAILED"
    broken.items.clear()
    execution = redriven(lab)
    assert (execution.status, execution.output) == ("SUCCEEDED", "c" * 10)
    assert broken.calls == {"a": 1, "b": 2, "c": 1}
    assert (execution.redrive_count, execution.redriven_at) == (1, lab.clock.epoch + 2)


def test_the_history_goes_on_after_the_redrive() -> None:
    broken = Broken(1)
    lab = Lab({"main": machine(("t", each("{% 1 %}")))}, {"broken": broken})
    before = lab.run().history.kinds()
    broken.items.clear()
    execution = redriven(lab)
    after = execution.history.kinds()
    assert after[: len(before)] == before
    assert after[len(before) :] == [
        "ExecutionRedriven",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    (event,) = (event for event in execution.history.events() if event["type"] == "ExecutionRedriven")
    assert event["executionRedrivenEventDetails"] == {"redriveCount": 1}


def test_retries_are_counted_anew() -> None:
    broken = Broken(1)
    retry = [{"ErrorEquals": ["ValueError"], "MaxAttempts": 2}]
    lab = Lab({"main": machine(("t", each("{% 1 %}", Retry=retry)))}, {"broken": broken})
    lab.run()
    redriven(lab)
    assert broken.calls[1] == 6


@pytest.mark.parametrize("kind", ["parallel", "map"])
def test_only_the_lines_that_failed_or_were_aborted_run_again(kind: str) -> None:
    broken = Broken(2)
    slow = {"Type": "Wait", "Seconds": 5}
    if kind == "parallel":
        branches = [
            block((f"b{item}", each(f"{{% {item} %}}")), *([("slow", slow)] if item == 3 else []))
            for item in (1, 2, 3)
        ]
        state: dict[str, Any] = {"Type": "Parallel", "Branches": branches}
    else:
        state = {
            "Type": "Map",
            "Items": [1, 2, 3],
            "ItemProcessor": block(("t", each("{% $states.input %}"))),
            "MaxConcurrency": 1,
        }
    lab = Lab({"main": machine(("s", state))}, {"broken": broken})
    assert lab.run().status == "FAILED"
    broken.items.clear()
    execution = redriven(lab)
    assert (execution.status, execution.output) == ("SUCCEEDED", [10, 20, 30])
    # The second failed; the third had ended (its Wait was aborted) or had not begun.
    assert broken.calls == {1: 1, 2: 2, 3: 1}


def test_variables_are_those_of_the_state_that_failed() -> None:
    broken = Broken(1)
    states = (
        ("set", passing(Assign={"x": 7})),
        ("t", each("{% 1 %}")),
        ("read", passing(Output="{% $x %}")),
    )
    lab = Lab({"main": machine(*states)}, {"broken": broken})
    lab.run()
    broken.items.clear()
    assert redriven(lab).output == 7


def test_a_fail_state_fails_again() -> None:
    lab = Lab({"main": machine(("f", {"Type": "Fail", "Error": "Bad"}))})
    lab.run()
    execution = redriven(lab)
    assert (execution.status, execution.error, execution.redrive_count) == ("FAILED", "Bad", 1)


def test_a_parallel_whose_results_are_too_large_runs_whole() -> None:
    calls: Counter[Any] = Counter()

    async def large(event: Any) -> Any:
        calls[event] += 1
        return "x" * (200_000 if max(calls.values()) == 1 else 10)

    branches = [block((f"b{n}", call("large", f"{{% {n} %}}", Output=RESULT))) for n in (1, 2)]
    lab = Lab({"main": machine(("p", {"Type": "Parallel", "Branches": branches}))}, {"large": large})
    assert lab.run().error == "States.DataLimitExceeded"
    assert redriven(lab).status == "SUCCEEDED"
    assert calls == {1: 2, 2: 2}


def test_a_parallel_whose_output_is_too_large_runs_and_succeeds_again() -> None:
    output = "{% $states.context.Execution.RedriveCount = 0 ? $pad('', 300000, 'x') : 'small' %}"
    state = {"Type": "Parallel", "Branches": [block(("b", passing()))], "Output": output}
    lab = Lab({"main": machine(("p", state))})
    assert lab.run().error == "States.DataLimitExceeded"
    execution = redriven(lab)
    assert execution.output == "small"
    assert execution.history.kinds().count("PassStateEntered") == 2
    assert execution.history.kinds().count("ParallelStateSucceeded") == 2


def test_an_aborted_wait_waits_until_the_same_moment() -> None:
    until = {"Type": "Wait", "Timestamp": "{% $states.input %}"}
    lab = Lab({"main": machine(("w", until))})

    async def main() -> None:
        execution = lab.engine.start("main", "2026-01-01T01:00:00Z", "run-1")
        await asyncio.sleep(600)
        lab.engine.stop("run-1")
        await lab.engine.wait("run-1")
        assert execution.status == "ABORTED"
        await asyncio.sleep(7200)
        await lab.engine.wait(lab.engine.redrive("run-1").name)

    lab.clock.run(main())
    assert (lab.engine.executions["run-1"].status, lab.clock.elapsed) == ("SUCCEEDED", 7800)


def test_the_time_limit_begins_anew() -> None:
    broken = Broken(1)
    definition = machine(("w", {"Type": "Wait", "Seconds": 8}), ("t", each("{% 1 %}")), TimeoutSeconds=10)
    lab = Lab({"main": definition}, {"broken": broken})
    lab.run()
    broken.items.clear()

    async def later() -> Execution:
        await asyncio.sleep(100)
        return await lab.engine.wait(lab.engine.redrive("run-1").name)

    assert lab.clock.run(later()).status == "SUCCEEDED"


def spread(kind: str) -> dict[str, Any]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    processor = {
        "ProcessorConfig": config,
        **block(("before", passing()), ("t", each("{% $states.input %}"))),
    }
    return {"Type": "Map", "Items": [1, 2, 3], "MaxConcurrency": 1, "ItemProcessor": processor}


@pytest.mark.parametrize("kind,entered", [("STANDARD", 1), ("EXPRESS", 2)])
def test_of_a_distributed_map_the_children_that_failed_run_again(kind: str, entered: int) -> None:
    broken = Broken(2)
    lab = Lab({"main": machine(("m", spread(kind)))}, {"broken": broken})
    assert lab.run().error == "States.ExceedToleratedFailureThreshold"
    broken.items.clear()
    execution = redriven(lab)
    assert (execution.status, execution.output) == ("SUCCEEDED", [10, 20, 30])
    assert broken.calls == {1: 1, 2: 2, 3: 1}
    assert "MapRunRedriven" in execution.history.kinds()
    (run,) = lab.engine.map_runs.values()
    assert lab.engine.describe_map_run(run.arn)["redriveCount"] == 1
    # A standard child goes on where it failed, an express one begins anew.
    seconds = [child for child in lab.engine.executions.values() if child.input == 2]
    assert sum(child.history.kinds().count("PassStateEntered") for child in seconds) == entered


@pytest.mark.parametrize("end", ["SUCCEEDED", "RUNNING"])
def test_what_succeeded_or_runs_is_not_redrivable(end: str) -> None:
    lab = Lab({"main": machine(("w", {"Type": "Wait", "Seconds": 9}))})

    async def main() -> None:
        lab.engine.start("main", None, "run-1")
        if end == "SUCCEEDED":
            await lab.engine.wait("run-1")
        described = lab.engine.describe("run-1")
        assert (described["redriveStatus"], described["redriveStatusReason"]) == (
            "NOT_REDRIVABLE",
            f"Execution is {end} and cannot be redriven",
        )
        with pytest.raises(UsageError, match=f"Execution is {end} and cannot be redriven"):
            lab.engine.redrive("run-1")
        await lab.engine.wait("run-1")

    lab.clock.run(main())


def test_after_14_days_nothing_is_redrivable() -> None:
    lab = Lab({"main": machine(("f", {"Type": "Fail"}))})
    lab.run()
    assert lab.engine.describe("run-1")["redriveStatus"] == "REDRIVABLE"
    lab.clock.run(asyncio.sleep(14 * 24 * 3600 + 1))
    with pytest.raises(UsageError, match="redrivable period"):
        lab.engine.redrive("run-1")


@pytest.mark.parametrize(
    "state", [spread("STANDARD"), spread("EXPRESS"), each("{% 2 %}")], ids=["m", "x", "t"]
)
def test_an_execution_can_be_redriven_from_its_journal(state: dict[str, Any], tmp_path: Path) -> None:
    broken = Broken(2)

    def engine(journal: Journal) -> Engine:
        machines = {"main": parse(machine(("first", each("{% 1 %}")), ("s", state)), "main")}
        return Engine(
            machines, lambda_integrations({"broken": broken}), clock=VirtualClock(), journal=journal
        )

    def through_a_journal(go: Callable[[Engine], Any]) -> Execution:
        with Journal(tmp_path / "run.journal") as journal:
            own = engine(journal)

            async def main() -> Execution:
                return await own.wait(go(own).name)

            return own.clock.run(main())

    assert through_a_journal(lambda own: own.start("main", None, "r")).status == "FAILED"
    calls = broken.calls[1]
    assert through_a_journal(lambda own: own.redrive("r")).redrive_count == 1
    broken.items.clear()
    execution = through_a_journal(lambda own: own.redrive("r"))
    assert (execution.status, execution.redrive_count) == ("SUCCEEDED", 2)
    assert broken.calls[1] == calls
    assert through_a_journal(lambda own: own.resume("r")).redrive_count == 2


def test_a_context_object_tells_of_the_redrive() -> None:
    broken = Broken(1)
    context = "{% $states.context.Execution %}"
    lab = Lab({"main": machine(("t", each("{% 1 %}")), ("c", passing(Output=context)))}, {"broken": broken})
    lab.run()
    broken.items.clear()
    told = redriven(lab).output
    assert (told["RedriveCount"], told["RedriveTime"]) == (1, "2026-01-01T00:00:01.000Z")
    fresh = Lab({"main": machine(("c", passing(Output=context)))}, {"echo": echo}).run().output
    assert fresh["RedriveCount"] == 0
    assert "RedriveTime" not in fresh
