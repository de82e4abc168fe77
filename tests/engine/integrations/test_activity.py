"""Activities: tasks that workers poll for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from stepweave.engine.execution import Execution
from stepweave.engine.integrations.activity import Activities
from stepweave.errors import DefinitionError, UsageError
from tests.engine.building import Lab, block, machine

ARN = "arn:aws:states:local:000000000000:activity:review"


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": ARN, **fields}


def ran(
    definition: dict[str, Any],
    work: Callable[[Lab, Activities], Coroutine[Any, Any, None]],
    value: Any = None,
) -> tuple[Execution, Lab]:
    """The ended execution of a machine beside a worker, and its engine."""
    activities = Activities()
    lab = Lab({"main": definition}, None, {"activity": activities})

    async def both() -> Execution:
        worker = asyncio.create_task(work(lab, activities))
        execution = await lab.engine.run("main", value, "run-1")
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        return execution

    return lab.clock.run(both()), lab


async def take(activities: Activities, **options: Any) -> dict[str, str]:
    given = await activities.get_task(ARN, **options)
    assert given is not None
    return given


def test_a_worker_gets_the_input_and_its_output_is_the_result() -> None:
    async def work(lab: Lab, activities: Activities) -> None:
        given = await take(activities, worker_name="ada")
        await asyncio.sleep(30)
        lab.engine.tokens.send_success(given["taskToken"], {"got": json.loads(given["input"])})

    execution, lab = ran(machine(("t", task(Arguments={"n": "{% $states.input %}"}))), work, 7)
    assert execution.output == {"got": {"n": 7}}
    assert lab.clock.elapsed == 30
    assert execution.history.kinds()[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]


def test_each_task_goes_to_one_worker_in_the_order_of_scheduling() -> None:
    taken: list[tuple[str, str]] = []

    async def work(lab: Lab, activities: Activities) -> None:
        async def poll(name: str) -> None:
            while True:
                given = await take(activities, worker_name=name)
                taken.append((name, given["input"]))
                await asyncio.sleep(10)
                lab.engine.tokens.send_success(given["taskToken"], given["input"])

        await asyncio.gather(poll("a"), poll("b"))

    branches = [block((f"t{number}", task(Arguments={"n": number}))) for number in range(4)]
    execution, lab = ran(machine(("p", {"Type": "Parallel", "Branches": branches})), work)
    assert execution.status == "SUCCEEDED"
    assert [text for _, text in taken] == [f'{{"n":{number}}}' for number in range(4)]
    assert sorted(name for name, _ in taken) == ["a", "a", "b", "b"]
    assert lab.clock.elapsed == 20


def test_a_worker_that_finds_no_task_in_time_gets_none() -> None:
    activities = Activities([ARN])
    lab = Lab({"main": machine(("t", task()))}, None, {"activity": activities})
    assert lab.clock.run(activities.get_task(ARN)) is None
    assert lab.clock.elapsed == 60


def test_a_task_that_no_worker_takes_times_out_and_leaves_the_queue() -> None:
    async def none(lab: Lab, activities: Activities) -> None:
        await asyncio.sleep(11)
        assert activities.pending(ARN) == 0

    execution, lab = ran(machine(("t", task(TimeoutSeconds=10))), none)
    assert (execution.error, lab.clock.elapsed) == ("States.Timeout", 10)


def test_the_heartbeat_counts_from_the_moment_a_worker_took_the_task() -> None:
    async def work(lab: Lab, activities: Activities) -> None:
        await asyncio.sleep(50)
        given = await take(activities)
        for _ in range(3):
            await asyncio.sleep(8)
            lab.engine.tokens.send_heartbeat(given["taskToken"])

    execution, lab = ran(machine(("t", task(HeartbeatSeconds=10))), work)
    assert (execution.error, lab.clock.elapsed) == ("States.Timeout", 84)


def test_a_worker_that_leaves_takes_no_task_with_it() -> None:
    async def work(lab: Lab, activities: Activities) -> None:
        impatient = asyncio.create_task(activities.get_task(ARN, "impatient", timeout=5))
        patient = asyncio.create_task(activities.get_task(ARN, "patient"))
        assert await impatient is None
        given = await patient
        assert given is not None
        lab.engine.tokens.send_success(given["taskToken"], "done")

    execution, _ = ran(machine(("w", {"Type": "Wait", "Seconds": 10}), ("t", task())), work)
    assert execution.output == "done"


def test_a_worker_fails_a_task_and_it_is_tried_again() -> None:
    async def work(lab: Lab, activities: Activities) -> None:
        first = await take(activities)
        lab.engine.tokens.send_failure(first["taskToken"], "Bad", "why")
        second = await take(activities)
        assert second["taskToken"] != first["taskToken"]
        lab.engine.tokens.send_success(second["taskToken"], 2)

    retry = [{"ErrorEquals": ["Bad"], "MaxAttempts": 1}]
    execution, _ = ran(machine(("t", task(Retry=retry))), work)
    assert execution.output == 2


def test_an_activity_that_is_not_there_is_found_before_anything_runs() -> None:
    activities = Activities(["approve"], closed=True)
    with pytest.raises(DefinitionError, match="Resource names no activity of this engine"):
        Lab({"main": machine(("t", task()))}, None, {"activity": activities})
    with pytest.raises(UsageError, match="no activity 'review'; there are: approve"):
        asyncio.run(activities.get_task("review"))
