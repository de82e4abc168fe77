"""A task runs on the smallest compute that holds what it declares."""

from __future__ import annotations

import pytest

from stepweave.graph.constructs import Rung, Sensor
from stepweave.graph.model import Resources, Task
from stepweave.planning.placement import place, placement_problems, placements


def task(**options: object) -> Task:
    return Task(id="train.model", call="m:train", **options)  # type: ignore[arg-type]


def test_a_task_without_needs_runs_on_the_default_function() -> None:
    placement = place(task())
    assert (placement.compute, placement.function, placement.reason) == (
        "lambda",
        "${TaskRunner}",
        "fits Lambda",
    )


@pytest.mark.parametrize(
    "options, reason",
    [
        ({"resources": Resources(gpu=1)}, "needs 1 GPU"),
        ({"timeout_seconds": 901}, "may take 901 s"),
        ({"resources": Resources(memory_mib=10_241)}, "needs 10241 MiB, Lambda"),
        ({"resources": Resources(ephemeral_mib=10_241)}, "scratch space"),
        ({"resources": Resources(cpu=8)}, "needs 8 vCPUs"),
        ({"resources": Resources(spot=True)}, "Spot"),
        ({"compute": "batch"}, "asks for it"),
    ],
)
def test_what_lambda_cannot_hold_runs_on_batch(options: dict[str, object], reason: str) -> None:
    placement = place(task(**options))
    assert placement.compute == "batch"
    assert reason in placement.reason
    assert placement.job_definition == "${JobDefinition_train_model}"


def test_the_queue_follows_gpu_and_spot() -> None:
    assert place(task(resources=Resources(gpu=2))).job_queue == "${JobQueue_gpu}"
    assert place(task(resources=Resources(gpu=2, spot=True))).job_queue == "${JobQueue_gpu_spot}"
    assert place(task(resources=Resources(spot=True))).job_queue == "${JobQueue_cpu_spot}"


def test_a_task_runs_on_fargate_only_where_it_asks_for_it() -> None:
    placement = place(task(compute="fargate", resources=Resources(cpu=3, memory_mib=5_000)))
    assert (placement.compute, placement.is_job) == ("fargate", True)
    assert placement.job_queue == "${JobQueue_fargate}"
    assert placement.job_definition == "${JobDefinition_train_model}"
    assert (str(placement.fargate), placement.memory_mib) == ("4 vCPUs, 8,192 MiB", 8_192)
    assert place(task(timeout_seconds=901)).compute == "batch"


@pytest.mark.parametrize(
    "need, function",
    [
        (Resources(memory_mib=1_024), "${TaskRunner}"),
        (Resources(memory_mib=1_025), "${TaskRunner2048}"),
        (Resources(cpu=2), "${TaskRunner4096}"),
        (Resources(memory_mib=9_000), "${TaskRunner10240}"),
    ],
)
def test_memory_and_cpu_choose_the_size_of_the_function(need: Resources, function: str) -> None:
    assert place(task(resources=need)).function == function


def test_each_rung_of_a_ladder_is_placed_by_what_it_asks_for() -> None:
    rungs = (
        Rung(call="m:t", resources=Resources(memory_mib=6_000)),
        Rung(call="m:t", resources=Resources(memory_mib=60_000)),
    )
    found = placements([Task(id="t", call="m:t", ladder=rungs)])
    assert list(found) == ["t", "t: level 1", "t: level 2"]
    assert (found["t: level 1"].compute, found["t: level 1"].memory_mib) == ("lambda", 8_192)
    assert found["t: level 2"].job_definition == "${JobDefinition_t_level_2}"


def test_a_sensor_on_fargate_is_an_error_too() -> None:
    sensor = Task(id="t", call="m:t", sensor=Sensor(), compute="fargate")
    (problem,) = placement_problems([sensor], placements([sensor]))
    assert problem.got == "Fargate: compute=Fargate() asks for it"


def test_a_sensor_that_needs_batch_is_an_error_that_says_what_to_do() -> None:
    looks = Task(id="t", call="m:t", sensor=Sensor(), resources=Resources(gpu=1))
    fits = Task(id="s", call="m:s", sensor=Sensor())
    (problem,) = placement_problems([fits, looks], placements([fits, looks]))
    assert (problem.code, problem.task, problem.got) == ("sensor-on-batch", "t", "Batch: needs 1 GPU")
