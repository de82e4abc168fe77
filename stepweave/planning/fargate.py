"""`fargate_size(need)`: the smallest size of Fargate that holds what a task asks for.

    1 vCPU, 3,000 MiB  ─▶  1 vCPU, 3,072 MiB        1 vCPU, 12 GiB  ─▶  2 vCPUs, 12 GiB

Fargate has pairs of vCPUs and memory, not instances; what is asked for is rounded up to the next pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from stepweave.graph.model import Resources

DEFAULT_CPU = 1.0
DEFAULT_MEMORY_MIB = 2_048
"""What a job has that asks for nothing, as on instances."""

FREE_DISK_GIB = 20
"""Disk that every job has, and does not pay for:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html"""
IMAGE_DISK_GIB = 10
"""Part of the disk that is left to the image, which shares it with what the task writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FargateSize:
    """What a job on Fargate has."""

    cpu: float
    memory_mib: int
    disk_gib: int = FREE_DISK_GIB

    def __str__(self) -> str:
        disk = f", disk {self.disk_gib} GiB" if self.disk_gib != FREE_DISK_GIB else ""
        return f"{self.cpu:g} vCPU{'' if self.cpu == 1 else 's'}, {self.memory_mib:,} MiB{disk}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """The sizes of memory that go with a number of vCPUs, in MiB."""

    cpu: float
    least: int
    most: int
    step: int


TIERS = (
    Tier(cpu=0.25, least=512, most=1_024, step=512),
    Tier(cpu=0.25, least=2_048, most=2_048, step=1_024),
    Tier(cpu=0.5, least=1_024, most=4_096, step=1_024),
    Tier(cpu=1, least=2_048, most=8_192, step=1_024),
    Tier(cpu=2, least=4_096, most=16_384, step=1_024),
    Tier(cpu=4, least=8_192, most=30_720, step=1_024),
    Tier(cpu=8, least=16_384, most=61_440, step=4_096),
    Tier(cpu=16, least=32_768, most=122_880, step=8_192),
)
"""Every pair that Batch accepts, from small to large:
https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html"""


def fargate_size(need: Resources) -> FargateSize:
    """The smallest size that holds ``need``, or the largest there is; that nothing fits is told by the graph's checks.

    >>> str(fargate_size(Resources(cpu=1, memory_mib=12_288)))
    '2 vCPUs, 12,288 MiB'
    """
    cpu, memory = need.cpu or DEFAULT_CPU, need.memory_mib or DEFAULT_MEMORY_MIB
    tier = next((one for one in TIERS if one.cpu >= cpu and one.most >= memory), TIERS[-1])
    steps = max(0, ceil((memory - tier.least) / tier.step))
    return FargateSize(
        cpu=tier.cpu,
        memory_mib=min(tier.most, tier.least + steps * tier.step),
        disk_gib=max(FREE_DISK_GIB, ceil((need.ephemeral_mib or 0) / 1_024) + IMAGE_DISK_GIB),
    )
