"""What fuzzing and drills brought to light: hostile values, and failures at the worst moment."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.failures import CAUSE_CHARACTERS, FunctionError
from stepweave.engine.integrations.activity import Activities
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.journal import Journal, JournalError
from stepweave.engine.parsing import parse
from stepweave.errors import UsageError
from tests.engine.building import block, call, failing, machine, run
from tests.engine.drawing import World
from tests.engine.leaving import ended, kinds, latest, through_a_journal
from tests.engine.shaped import defects


def test_the_cause_of_a_failed_evaluation_is_as_long_as_a_cause_may_be() -> None:
    definition = machine(("w", {"Type": "Wait", "Seconds": "{% $pad('x', 300000) %}"}))
    execution = run(definition)
    (event,) = [event for event in execution.history.events() if event["type"] == "EvaluationFailed"]
    assert len(event["evaluationFailedEventDetails"]["cause"]) == CAUSE_CHARACTERS
    assert execution.cause == event["evaluationFailedEventDetails"]["cause"]


class FullDisk(Journal):
    """A journal whose disk is full after ``room`` writes."""

    room = 3

    def _write(self) -> None:
        self.room -= 1
        if self.room < 0:
            raise OSError(28, "No space left on device")
        super()._write()


async def takes_a_while(event: Any) -> Any:
    await asyncio.sleep(0.002)
    return event


@pytest.mark.parametrize("room", range(1, 12))
def test_a_full_disk_is_told_once_however_many_executions_it_stops(
    tmp_path: Path, room: int, caplog: pytest.LogCaptureFixture
) -> None:
    state: dict[str, Any] = {
        "Type": "Map",
        "Items": "{% [1..4] %}",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            **block(("a", call("f")), ("b", call("f"))),
        },
    }
    journal = FullDisk(tmp_path / "journal")
    journal.room = room
    engine = Engine(
        {"main": parse(machine(("m", state)), "main")},
        lambda_integrations({"f": takes_a_while}),
        journal=journal,
    )
    with pytest.raises(JournalError, match="No space left on device"), journal:
        asyncio.run(engine.run("main", None, "run"))
    gc.collect()
    assert caplog.messages == []  # asyncio reports errors that nobody asked for


async def forty_seconds(event: Any) -> Any:
    await asyncio.sleep(40)
    return event


@pytest.mark.parametrize(
    "state,seconds",
    [
        ({"Type": "Wait", "Seconds": 60}, 60),
        ({"Type": "Wait", "Timestamp": "2026-01-01T00:01:00Z"}, 60 + 3_600 - 30),
        (call("fails", Retry=[{"ErrorEquals": ["E"], "IntervalSeconds": 60, "MaxAttempts": 1}]), 60),
        (call("slow", TimeoutSeconds=35), 35),
    ],
    ids=["wait", "wait until", "retry", "time limit"],
)
def test_nothing_takes_longer_because_the_clock_was_set_back(
    state: dict[str, Any], seconds: float, tmp_path: Path
) -> None:
    path = tmp_path / "journal"
    functions = {"slow": forty_seconds, "fails": failing(FunctionError("E"), 1)}

    def engine(clock: VirtualClock, journal: Journal) -> Engine:
        return Engine(
            {"main": parse(machine(("s", state)), "main")},
            lambda_integrations(functions),
            clock=clock,
            journal=journal,
        )

    async def begin() -> bytes:
        with Journal(path) as journal:
            running = asyncio.create_task(engine(first, journal).run("main", None, "run"))
            await asyncio.sleep(30)
            left = path.read_bytes()
            running.cancel()
            await asyncio.wait([running])
            return left

    first = VirtualClock()
    path.write_bytes(first.run(begin()))
    set_back = VirtualClock(first.epoch + 30 - 3_600)
    with Journal(path) as journal:
        resumed = engine(set_back, journal)

        async def go_on() -> None:
            await resumed.wait(resumed.resume("run").name)

        set_back.run(go_on())
    assert set_back.elapsed == pytest.approx(seconds)


LARGE = "{% $pad('x', 300000) %}"


@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
@pytest.mark.parametrize(
    "fields",
    [{"Items": [1], "ItemSelector": LARGE}, {"Items": "{% [$pad('x', 300000)] %}"}],
    ids=["selector", "items"],
)
def test_an_item_that_is_too_large_is_a_data_limit(mode: str, fields: dict[str, Any]) -> None:
    config = {"Mode": mode, **({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})}
    inner = {"ProcessorConfig": config, **block(("p", {"Type": "Pass"}))}
    execution = run(machine(("m", {"Type": "Map", "ItemProcessor": inner, **fields})))
    assert (execution.status, execution.error) == ("FAILED", "States.DataLimitExceeded")
    assert "PassStateEntered" not in execution.history.kinds()


def test_arguments_of_a_parallel_that_are_too_large_are_a_data_limit() -> None:
    state = {"Type": "Parallel", "Arguments": LARGE, "Branches": [block(("p", {"Type": "Pass"}))]}
    execution = run(machine(("all", state)))
    assert (execution.status, execution.error) == ("FAILED", "States.DataLimitExceeded")
    assert "PassStateEntered" not in execution.history.kinds()


SPREAD = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
TASK = call("f", {"do": {"seconds": 1}, "in": "{% $states.input %}"}, Output="{% $states.result.Payload %}")
EVERYTHING = machine(
    ("task", TASK),
    ("inline", {"Type": "Map", "Items": [1, 2], "ItemProcessor": block(("one", TASK))}),
    ("spread", {"Type": "Map", "Items": [1, 2], "ItemProcessor": {**SPREAD, **block(("two", TASK))}}),
    (
        "all",
        {
            "Type": "Parallel",
            "Branches": [block(("three", TASK)), block(("wait", {"Type": "Wait", "Seconds": 2}))],
        },
    ),
)


def test_wherever_it_is_left_an_execution_has_the_same_events_in_the_end(tmp_path: Path) -> None:
    parsed = parse(EVERYTHING, "main")
    path = tmp_path / "whole"
    whole = through_a_journal(path, parsed, World(), {})
    assert ended(whole).status == "SUCCEEDED"
    lines = path.read_bytes().splitlines(keepends=True)
    for count in range(2, len(lines)):
        path = tmp_path / f"{count}"
        path.write_bytes(b"".join(lines[:count]))
        again = through_a_journal(path, parsed, World(), {}, latest(lines[1:count]))
        assert kinds(again) == kinds(whole), count


def test_a_worker_that_took_an_activity_answers_the_engine_that_comes_after(tmp_path: Path) -> None:
    activity = "arn:aws:states:us-east-1:123456789012:activity:dig"
    definition = machine(("t", {"Type": "Task", "Resource": activity, "TimeoutSeconds": 600}))
    clock = VirtualClock()

    def engine(journal: Journal, activities: Activities) -> Engine:
        return Engine(
            {"main": parse(definition, "main")}, {"activity": activities}, clock=clock, journal=journal
        )

    async def take() -> tuple[bytes, str]:
        activities = Activities()
        with Journal(tmp_path / "j") as journal:
            running = asyncio.create_task(engine(journal, activities).run("main", {}, "run"))
            task = await activities.get_task("dig", "worker")
            await asyncio.sleep(1)
            left = (tmp_path / "j").read_bytes()
            running.cancel()
            await asyncio.wait([running])
        assert task is not None
        return left, task["taskToken"]

    left, token = clock.run(take())
    (tmp_path / "j").write_bytes(left)
    activities = Activities()
    with Journal(tmp_path / "j") as journal:
        again = engine(journal, activities)

        async def answer() -> Any:
            execution = again.resume("run")
            await asyncio.sleep(1)
            assert activities.pending("dig") == 0
            again.tokens.send_success(token, "gold")
            return await again.wait(execution.name)

        execution = clock.run(answer())
    assert (execution.status, execution.output) == ("SUCCEEDED", "gold")
    assert execution.history.kinds().count("ActivityStarted") == 1


def test_the_heartbeat_of_a_function_by_its_arn_is_in_no_event() -> None:
    function = {
        "Type": "Task",
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "HeartbeatSeconds": 5,
    }
    execution = run(machine(("t", {**function, "TimeoutSeconds": 60})), f=takes_a_while)
    (scheduled,) = [
        event for event in execution.history.events() if event["type"] == "LambdaFunctionScheduled"
    ]
    assert scheduled["lambdaFunctionScheduledEventDetails"]["timeoutInSeconds"] == 60
    assert list(defects(execution)) == []


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, object()], ids=["nan", "set", "object"])
def test_an_input_that_is_not_json_starts_nothing(value: Any, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        engine = Engine({"main": parse(machine(("p", {"Type": "Pass"})), "main")}, {}, journal=journal)
        with pytest.raises(UsageError, match="the input of 'main' is not JSON"):
            asyncio.run(engine.run("main", value))
        assert engine.executions == {}
