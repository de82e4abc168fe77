"""`Profile`: for what a bundle is made."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["lambda", "batch"]
Architecture: TypeAlias = Literal["arm64", "x86_64"]

LAMBDA_PYTHON = "3.13"
"""Python of the functions: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""

_WHEELS = {"arm64": "aarch64", "x86_64": "x86_64"}
_GLIBC = "manylinux_2_34"
"""glibc of Amazon Linux 2023 (https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html); that of the jobs'
image is newer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Where a bundle will run, and with what."""

    kind: Kind
    python: str = LAMBDA_PYTHON
    """Version of Python, as in ``3.13``."""
    architecture: Architecture = "arm64"
    requirements: tuple[str, ...] = ()
    """PEP 508, as :attr:`stepweave.graph.model.Task.requirements`."""
    local: bool = False
    """For a process on this machine, instead of Amazon Linux."""

    @property
    def wheels(self) -> str:
        """The platform whose wheels fit, as uv calls it; empty for this machine's."""
        return "" if self.local else f"{_WHEELS[self.architecture]}-{_GLIBC}"

    @property
    def for_uv(self) -> list[str]:
        """Options of ``uv pip`` for another platform than this machine's."""
        return ["--python-version", self.python, "--python-platform", self.wheels, "--only-binary", ":all:"]

    @property
    def described(self) -> str:
        """In words, for messages."""
        return f"Python {self.python} on {'this machine' if self.local else f'Linux, {self.architecture}'}"


def local_profile(kind: Kind, requirements: tuple[str, ...] = ()) -> Profile:
    """The profile of a process on this machine, with the Python that runs now."""
    machine = platform.machine().lower()
    return Profile(
        kind=kind,
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        architecture="arm64" if machine in ("arm64", "aarch64") else "x86_64",
        requirements=requirements,
        local=True,
    )
