"""What a run uses: functions by time and memory, jobs by their share of an instance, and what goes on around them."""

from __future__ import annotations

import pytest

from stepweave.graph.model import Resources, Task
from stepweave.planning.fargate import fargate_size
from stepweave.planning.placement import placements
from stepweave.pricing.estimating import (
    COLD_SECONDS,
    CONTROL_MIB,
    CONTROL_SECONDS,
    JOB_MIN_SECONDS,
    RUN_METRICS,
    Architecture,
    Work,
    month_of,
    on_batch,
    on_fargate,
    on_lambda,
    usage_of,
)
from stepweave.pricing.prices import usd

LIGHT = Task(id="light", call="m:f")
BIG = Task(id="big", call="m:f", resources=Resources(memory_mib=4_096))
TRAIN = Task(id="train", call="m:f", resources=Resources(cpu=2, memory_mib=8_192, spot=True))
TASKS = {task.id: task for task in (LIGHT, BIG, TRAIN)}
PLACED = placements(TASKS.values())


def hours(need: Resources, memory_mib: int, kind: str) -> float:
    return on_batch(3_570, need, memory_mib, "arm64").amounts[kind]


def test_memory_and_architecture_give_the_price_of_a_function() -> None:
    one = on_lambda(100, 1_024, "arm64").amounts["lambda_arm64"]
    assert on_lambda(100, 4_096, "arm64").amounts["lambda_arm64"] == pytest.approx(4 * one)
    assert on_lambda(100, 1_024, "x86_64").usd() > on_lambda(100, 1_024, "arm64").usd()


@pytest.mark.parametrize(
    "need, memory_mib, kind, share",
    [
        (Resources(cpu=2), 2_048, "cpu_arm64", 2),
        (Resources(cpu=2, spot=True), 2_048, "cpu_arm64_spot", 2),
        (Resources(cpu=2), 32_768, "cpu_arm64", 8),
        (Resources(), 2_048, "cpu_arm64", 1),
        (Resources(gpu=1), 2_048, "gpu", 1),
        (Resources(gpu=1, cpu=16, spot=True), 2_048, "gpu_spot", 4),
        (Resources(gpu=2), 65_536, "gpu", 4),
    ],
)
def test_a_job_pays_for_the_part_of_an_instance_that_it_takes_away(
    need: Resources, memory_mib: int, kind: str, share: float
) -> None:
    assert hours(need, memory_mib, kind) == pytest.approx(share)


def test_a_short_job_pays_for_a_minute() -> None:
    assert on_batch(1, Resources(), 1_024, "arm64").amounts["cpu_arm64"] == pytest.approx(
        JOB_MIN_SECONDS / 3_600
    )


@pytest.mark.parametrize("architecture, factor", [("arm64", 1.0), ("x86_64", 0.04048 / 0.03238)])
def test_a_job_on_fargate_pays_for_its_whole_size(architecture: Architecture, factor: float) -> None:
    size = fargate_size(Resources(cpu=2, memory_mib=4_000, ephemeral_mib=30 * 1_024))
    used = on_fargate(3_570, size, architecture)
    assert used.amounts == pytest.approx(
        {
            f"fargate_{architecture}": 2,
            f"fargate_{architecture}_gib": 4,
            "fargate_disk": 20,
            "s3_get": 3,
            "s3_put": 2,
        }
    )
    expected = (2 * 0.03238 + 4 * 0.00356) * factor + 20 * 0.000111
    assert used.usd() == pytest.approx(expected, rel=0.01)


def test_a_run_with_a_task_on_fargate_is_priced_as_such() -> None:
    aside = Task(id="aside", call="m:f", compute="fargate")
    used = usage_of(Work(transitions=1, calls=(("aside", 1.0),)), {"aside": aside}, placements([aside]))
    assert used.tasks["aside"].amounts["fargate_arm64_gib"] == pytest.approx(2 * JOB_MIN_SECONDS / 3_600)


def test_the_work_of_a_run_is_told_by_task_and_for_what_is_around_it() -> None:
    work = Work(
        transitions=9,
        calls=(("light", 1.0), ("light", 1.0), ("big", 2.0), ("train", 100.0)),
        control_calls=3,
        gate_calls=2,
    )
    used = usage_of(work, TASKS, PLACED)
    assert set(used.tasks) == {"light", "big", "train"}
    assert used.tasks["light"].amounts["lambda_request"] == 2
    assert set(used.tasks["train"].amounts) == {"cpu_arm64_spot", "s3_get", "s3_put"}
    around = used.around.amounts
    assert around["transition"] == 9
    assert around["table_write"] == 2 + 4
    assert around["lambda_request"] == 3 + 3
    expected = 3 * CONTROL_SECONDS * CONTROL_MIB / 1_024 + 2 * COLD_SECONDS + 3 * 0.3 * 0.5
    assert around["lambda_arm64"] == pytest.approx(expected)
    assert used.all.usd() == pytest.approx(
        used.around.usd() + sum(each.usd() for each in used.tasks.values())
    )


def test_runs_in_one_hour_share_their_metrics() -> None:
    run = usage_of(Work(transitions=1), {}, {}).all
    assert month_of(run, 10).amounts["metric"] == pytest.approx(run.amounts["metric"] * 10)
    assert month_of(run, 100_000).amounts["metric"] == RUN_METRICS
    assert month_of(run, 100_000).amounts["transition"] == 100_000


def test_a_gpu_hour_is_dearer_than_a_vcpu_hour_and_spot_is_cheaper_than_both() -> None:
    assert usd("cpu_arm64_spot") < usd("cpu_arm64") < usd("cpu_x86_64") < usd("gpu_spot") < usd("gpu")
