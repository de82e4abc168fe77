"""`cost`: what AWS would bill for a simulated run.

On-demand prices in us-east-1, x86, November 2026; free tiers are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stepweave.graph.model import Task
from stepweave.planning.placement import Placement

CONTROL_SECONDS = 0.02
"""Billed length of a gate's or signal's function call; an assumption, since it is not simulated."""
CONTROL_MIB = 1_024

USD_PER_TRANSITION = 0.025 / 1_000
"""Standard workflows: https://aws.amazon.com/step-functions/pricing/"""
USD_PER_LAMBDA_REQUEST = 0.20 / 1_000_000
"""https://aws.amazon.com/lambda/pricing/"""
USD_PER_LAMBDA_GIB_SECOND = 0.0000166667
"""x86, first tier: https://aws.amazon.com/lambda/pricing/"""
USD_PER_VCPU_SECOND = 0.04048 / 3_600
"""Batch itself is free; its capacity is priced as Fargate, Linux on x86: https://aws.amazon.com/fargate/pricing/"""
USD_PER_GIB_SECOND = 0.004445 / 3_600
"""https://aws.amazon.com/fargate/pricing/"""
USD_PER_GPU_SECOND = 1.006 / 3_600
"""A GPU with its host, as g5.xlarge: https://aws.amazon.com/ec2/pricing/on-demand/"""
DEFAULT_BATCH_CPU = 1.0


def cost(
    transitions: int,
    control_calls: int,
    task_calls: Iterable[tuple[str, float]],
    tasks: Mapping[str, Task],
    placements: Mapping[str, Placement],
) -> float:
    """US dollars; ``task_calls`` are tasks and the seconds that each call took."""
    usd = transitions * USD_PER_TRANSITION + control_calls * _lambda_usd(CONTROL_SECONDS, CONTROL_MIB)
    for task, seconds in task_calls:
        placement = placements[task]
        if placement.compute == "lambda":
            usd += _lambda_usd(seconds, placement.memory_mib)
        else:
            usd += seconds * _batch_usd_per_second(tasks[task], placement.memory_mib)
    return usd


def _lambda_usd(seconds: float, memory_mib: int) -> float:
    return USD_PER_LAMBDA_REQUEST + seconds * memory_mib / 1_024 * USD_PER_LAMBDA_GIB_SECOND


def _batch_usd_per_second(task: Task, memory_mib: int) -> float:
    need = task.resources
    if need.gpu:
        return need.gpu * USD_PER_GPU_SECOND
    return (need.cpu or DEFAULT_BATCH_CPU) * USD_PER_VCPU_SECOND + memory_mib / 1_024 * USD_PER_GIB_SECOND
