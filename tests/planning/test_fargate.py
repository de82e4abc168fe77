"""What a task asks for is rounded up to a size that Fargate has."""

from __future__ import annotations

from itertools import pairwise

import pytest

from stepweave.graph import limits
from stepweave.graph.model import Resources
from stepweave.planning.fargate import IMAGE_DISK_GIB, TIERS, fargate_size


@pytest.mark.parametrize(
    "need, size",
    [
        (Resources(), (1, 2_048)),
        (Resources(cpu=0.1, memory_mib=100), (0.25, 512)),
        (Resources(cpu=0.25, memory_mib=1_025), (0.25, 2_048)),
        (Resources(cpu=0.25, memory_mib=2_049), (0.5, 3_072)),
        (Resources(cpu=1, memory_mib=512), (1, 2_048)),
        (Resources(memory_mib=10_000), (2, 10_240)),
        (Resources(cpu=3), (4, 8_192)),
        (Resources(cpu=4, memory_mib=30_721), (8, 32_768)),
        (Resources(cpu=6, memory_mib=17_000), (8, 20_480)),
        (Resources(cpu=16, memory_mib=122_880), (16, 122_880)),
        (Resources(memory_mib=61_441), (16, 65_536)),
    ],
)
def test_a_size_is_the_smallest_that_holds_what_is_asked_for(
    need: Resources, size: tuple[float, int]
) -> None:
    found = fargate_size(need)
    assert (found.cpu, found.memory_mib) == size


@pytest.mark.parametrize("memory", range(512, 122_881, 500))
def test_every_size_is_one_of_the_pairs_of_fargate(memory: int) -> None:
    found = fargate_size(Resources(cpu=0.25, memory_mib=memory))
    pairs = {(one.cpu, each) for one in TIERS for each in range(one.least, one.most + 1, one.step)}
    assert (found.cpu, found.memory_mib) in pairs
    assert memory <= found.memory_mib


def test_sizes_grow_and_the_largest_is_the_limit_that_tasks_are_held_to() -> None:
    assert all(one.cpu <= other.cpu and one.most < other.most for one, other in pairwise(TIERS))
    assert (TIERS[-1].cpu, TIERS[-1].most) == (limits.FARGATE_MOST_CPUS, limits.FARGATE_MOST_MEMORY_MIB)


def test_the_disk_holds_the_image_besides_what_is_asked_for() -> None:
    assert fargate_size(Resources(ephemeral_mib=5_000)).disk_gib == 20
    assert fargate_size(Resources(ephemeral_mib=30 * 1_024)).disk_gib == 30 + IMAGE_DISK_GIB
    assert fargate_size(Resources(ephemeral_mib=limits.FARGATE_MOST_EPHEMERAL_MIB)).disk_gib == 200
