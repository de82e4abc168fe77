"""What instances of EC2 have: the families that queues take by default, and the sizes by which jobs are held to them.

    c7g  ─largest─▶ 64 vCPUs, 128 GiB        g5.xlarge ─▶ 4 vCPUs, 16 GiB, 1 GPU

Sizes: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.settings_sections import Architecture, Queue, QueueKind

CPU_TYPES: Mapping[Architecture, tuple[str, ...]] = {
    "arm64": ("c7g", "m7g", "r7g"),
    "x86_64": ("c7i", "m7i", "r7i"),
}
"""Families of a CPU queue that names none; Batch takes what fits the job."""
CPU_SPOT_TYPES: Mapping[Architecture, tuple[str, ...]] = {
    "arm64": ("c6g", "c7g", "m6g", "m7g", "r6g", "r7g"),
    "x86_64": ("c6i", "c7i", "m6i", "m7i", "r6i", "r7i"),
}
"""More of them for spot: the more there are, the less often one is reclaimed."""
GPU_TYPES = ("g5", "g6")
"""Families of a GPU queue that names none."""

KEPT_PERCENT = 5
"""Memory of an instance that the kernel and the agent of ECS keep, and no job gets. It is not published; the example of
an m4.large gives 7,985 MiB of 8,192, and small instances lose a larger part:
https://docs.aws.amazon.com/batch/latest/userguide/memory-management.html"""

_GIB_PER_VCPU = {"c": 2, "m": 4, "r": 8}
_LARGEST_VCPUS = {"6g": 64, "7g": 64, "8g": 192, "6i": 128, "7i": 192, "8i": 384, "6a": 192, "7a": 192}
"""By generation and maker, of families that are named ``c7g``."""
_GPU_FAMILIES = {"g4dn": (4, (1, 2, 4, 8, 12, 16)), "g5": (4, (1, 2, 4, 8, 12, 16, 24, 48))}
_GPU_FAMILIES |= {"g6": _GPU_FAMILIES["g5"], "g6e": (8, _GPU_FAMILIES["g5"][1])}
"""GiB for each vCPU, and the sizes (``12`` is ``12xlarge``)."""
_GPUS = {12: 4, 24: 4, 48: 8}
"""By size, where it is not one."""


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """What an instance has."""

    vcpus: int
    memory_gib: int
    gpus: int = 0

    @property
    def job_memory_mib(self) -> int:
        """The most that a job can have of its memory."""
        return self.memory_gib * 1024 * (100 - KEPT_PERCENT) // 100

    def __str__(self) -> str:
        gpus = f", {self.gpus} GPU{'s' if self.gpus > 1 else ''}" if self.gpus else ""
        return f"{self.vcpus} vCPUs, {self.memory_gib} GiB{gpus}"


_LISTED = {
    "p3.2xlarge": Size(8, 61, 1),
    "p3.8xlarge": Size(32, 244, 4),
    "p3.16xlarge": Size(64, 488, 8),
    "p4d.24xlarge": Size(96, 1152, 8),
    "p4de.24xlarge": Size(96, 1152, 8),
    "p5.4xlarge": Size(16, 256, 1),
    "p5.48xlarge": Size(192, 2048, 8),
}


def types_of(kind: QueueKind, queue: Queue, architecture: Architecture) -> tuple[str, ...]:
    """Families and types of a queue of instances."""
    if queue.instance_types:
        return queue.instance_types
    if kind.startswith("gpu"):
        return GPU_TYPES
    return (CPU_SPOT_TYPES if kind == "cpu_spot" else CPU_TYPES)[architecture]


def sizes(name: str) -> tuple[Size, ...]:
    """What the instances of a type or family have, the larger ones last; nothing for one that is not known here.

    >>> sizes("g5.xlarge"), sizes("c7g")[-1], sizes("x9z")
    ((Size(vcpus=4, memory_gib=16, gpus=1),), Size(vcpus=64, memory_gib=128, gpus=0), ())
    """
    family, _, size = name.partition(".")
    if family in _GPU_FAMILIES:
        known = _of_gpu_family(family)
    elif any(one.startswith(f"{family}.") for one in _LISTED):
        known = {one.partition(".")[2]: has for one, has in _LISTED.items() if one.startswith(f"{family}.")}
    else:
        return _of_cpu_family(family, size)
    if size:
        return (known[size],) if size in known else ()
    return tuple(sorted(known.values()))


def _of_gpu_family(family: str) -> dict[str, Size]:
    gib, multiples = _GPU_FAMILIES[family]
    return {
        f"{number if number > 1 else ''}xlarge": Size(4 * number, 4 * number * gib, _GPUS.get(number, 1))
        for number in multiples
    }


def _of_cpu_family(family: str, size: str) -> tuple[Size, ...]:
    gib, largest = _GIB_PER_VCPU.get(family[:1]), _LARGEST_VCPUS.get(family[1:])
    if gib is None or largest is None:
        return ()
    vcpus = _vcpus(size) if size else largest
    return (Size(vcpus, vcpus * gib),) if vcpus and vcpus <= largest else ()


def _vcpus(size: str) -> int | None:
    """How many vCPUs a size of a family without GPUs has; None for one that is not known.

    >>> _vcpus("medium"), _vcpus("large"), _vcpus("xlarge"), _vcpus("12xlarge"), _vcpus("metal")
    (1, 2, 4, 48, None)
    """
    found = re.fullmatch(r"medium|large|(\d*)xlarge", size)
    if found is None:
        return None
    if "x" not in size:
        return {"medium": 1, "large": 2}[size]
    return 4 * int(found[1] or 1)
