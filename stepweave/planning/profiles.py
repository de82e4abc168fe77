"""What the functions and images that run tasks are made of: one Lambda function per distinct profile of a DAG.

Sizes come in tiers, so that a DAG of hundreds of tasks needs a handful of functions, not one per task.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from stepweave.graph.model import Task

# Limits of Lambda: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_MAX_SECONDS = 900
LAMBDA_MAX_MEMORY_MIB = 10_240
LAMBDA_MAX_EPHEMERAL_MIB = 10_240
LAMBDA_MAX_CPU = 6
LAMBDA_MIB_PER_CPU = 1_769
"""Memory at which a function has one full vCPU (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""

MEMORY_TIERS_MIB = (1_024, 2_048, 4_096, 8_192, 10_240)
"""Memory sizes of the deployed task runners; the first is the default's."""
TIMEOUT_TIERS_SECONDS = (60, 300, 900)
"""Timeouts of the deployed task runners; the last is the default's, for tasks that set none."""
EPHEMERAL_TIERS_MIB = (512, 2_048, 10_240)
"""Sizes of ``/tmp`` of the deployed task runners; the first is the default's, and free of charge."""

RUNNER = "TaskRunner"
"""Substitution of the function with the default profile, and start of all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaProfile:
    """What a task runner on Lambda is made of."""

    memory_mib: int = MEMORY_TIERS_MIB[0]
    timeout_seconds: int = TIMEOUT_TIERS_SECONDS[-1]
    ephemeral_mib: int = EPHEMERAL_TIERS_MIB[0]
    requirements: tuple[str, ...] = ()
    """Further to those of the DAG, which every function of the DAG has."""

    @property
    def name(self) -> str:
        """Name of its substitution, with the parts that are not the default's.

        >>> LambdaProfile(memory_mib=2048, timeout_seconds=60).name
        'TaskRunner2048_t60'
        """
        memory = "" if self.memory_mib == MEMORY_TIERS_MIB[0] else str(self.memory_mib)
        timeout = "" if self.timeout_seconds == TIMEOUT_TIERS_SECONDS[-1] else f"_t{self.timeout_seconds}"
        ephemeral = "" if self.ephemeral_mib == EPHEMERAL_TIERS_MIB[0] else f"_e{self.ephemeral_mib}"
        further = f"_r{requirements_digest(self.requirements)}" if self.requirements else ""
        return f"{RUNNER}{memory}{timeout}{ephemeral}{further}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageProfile:
    """What the image of a Batch job is made of."""

    gpu: bool = False
    requirements: tuple[str, ...] = ()
    """Further to those of the DAG, which every image of the DAG has."""


DEFAULT = LambdaProfile()


def requirements_digest(requirements: Sequence[str]) -> str:
    """Six hexadecimal digits that stand for a set of requirements, in whatever order."""
    return hashlib.sha256("\n".join(sorted(requirements)).encode()).hexdigest()[:6]


def lambda_profile(task: Task) -> LambdaProfile:
    """The smallest profile that holds what ``task`` declares, or the largest there is."""
    need = task.resources
    memory = max(need.memory_mib or 0, int((need.cpu or 0) * LAMBDA_MIB_PER_CPU))
    return _profile(
        _tier(MEMORY_TIERS_MIB, memory),
        _tier(TIMEOUT_TIERS_SECONDS, task.timeout_seconds or LAMBDA_MAX_SECONDS),
        _tier(EPHEMERAL_TIERS_MIB, need.ephemeral_mib or 0),
        task.requirements,
    )


@functools.lru_cache(maxsize=256)  # a DAG of thousands of tasks has a few profiles
def _profile(
    memory_mib: int, timeout_seconds: int, ephemeral_mib: int, requirements: tuple[str, ...]
) -> LambdaProfile:
    return LambdaProfile(
        memory_mib=memory_mib,
        timeout_seconds=timeout_seconds,
        ephemeral_mib=ephemeral_mib,
        requirements=requirements,
    )


def _tier(tiers: tuple[int, ...], wanted: int) -> int:
    return next((tier for tier in tiers if tier >= wanted), tiers[-1])
