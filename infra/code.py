"""`Code`: where the stack of a DAG gets the code from that it deploys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stepweave.compiler import Compiled
from stepweave.planning.profiles import ImageProfile, LambdaProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFolder:
    """Code and everything that it imports, as a folder or a zip of one."""

    path: Path
    digest: str
    """The same for the same content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What the image of a job is built from."""

    context: Path
    dockerfile: str
    """Relative to ``context``."""
    digest: str
    platform: str
    """``linux/arm64`` or ``linux/amd64``."""
    arguments: tuple[tuple[str, str], ...] = ()


class Code(Protocol):
    """Makes what is deployed. Packaging installs distributions for it; tests have one that installs nothing."""

    def runner(self, compiled: Compiled, profile: LambdaProfile) -> CodeFolder:
        """The task runner for the tasks of a DAG with ``profile``."""

    def starter(self, dag_json: str) -> CodeFolder:
        """The starter with ``dag.json`` beside it."""

    def worker(self, compiled: Compiled, profile: ImageProfile) -> CodeFolder:
        """The Batch worker as code, for the local AWS."""

    def image(self, compiled: Compiled, profile: ImageProfile) -> Image:
        """The Batch worker as an image."""

    def user_files(self, compiled: Compiled) -> Sequence[Path]:
        """Python files of the DAG's own code: its modules and what they import, without stepweave's."""
