"""`image(entry, modules, profile, root)`: the folder that the image of a job is built from.

    Dockerfile          of functions/batch_worker: for GPUs on NVIDIA's CUDA, else on Python's slim image
    requirements.txt    every dependency by version and hash; the build installs them
    code/               first-party files

Docker is needed by whoever deploys, not by whoever synthesizes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.packaging.base import base_requirements
from infra.packaging.bundle import CACHE, first_party
from infra.packaging.closure import closure
from infra.packaging.kept import make
from infra.packaging.missing import check_imports
from infra.packaging.pinned import importable, known, pinned
from infra.packaging.profile import Profile
from infra.packaging.sources import sources_of

FOLDER = "functions/batch_worker"
DOCKERFILE = "Dockerfile"
GPU_DOCKERFILE = "Dockerfile.cuda"

PYTHON_RELEASES = {"3.11": "3.11.14", "3.12": "3.12.12", "3.13": "3.13.9", "3.14": "3.14.0"}
"""Release of Python in images by version, so that a build next year gives the same interpreter."""

_MOMENT = 315_532_800
"""1 January 1980: files of the same content have the same time, and layers the same digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageContext:
    """What an image is built from."""

    digest: str
    """Of its contents and arguments."""
    arguments: tuple[tuple[str, str], ...]
    """Build arguments."""
    modules: tuple[str, ...]
    """First-party modules in it."""
    files: tuple[tuple[str, bytes], ...]
    """Path and content of each file."""
    cache: Path

    @property
    def path(self) -> Path:
        """The folder; made when it is first asked for."""
        return make(self.cache / "images" / self.digest, self._fill)

    def _fill(self, folder: Path) -> None:
        for inside, content in self.files:
            target = folder / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        for path in sorted(folder.rglob("*"), reverse=True):
            os.utime(path, (_MOMENT, _MOMENT))


def image(
    entry: str,
    modules: Sequence[str],
    profile: Profile,
    root: Path,
    *,
    gpu: bool = False,
    calls: Iterable[str] = (),
) -> ImageContext:
    """What the image of a job is built from; the arguments are those of :func:`infra.packaging.bundle.bundle`.

    Raises ``UsageError`` when a module is not found, and ``DagError`` for an import that no requirement covers, as far
    as the environment that synthesizes knows who brings it.
    """
    sources = sources_of(root)
    found = closure([entry, *modules], sources)
    cache = root.resolve() / CACHE
    wanted = {*profile.requirements, *base_requirements(found, profile)}
    requirements = pinned(profile, wanted, root.resolve(), cache)
    unknown = {one.package for one in found.outside} - known()
    check_imports(found, importable(requirements) | unknown, profile, tuple(calls))
    dockerfile = sources.folder_of(FOLDER) / (GPU_DOCKERFILE if gpu else DOCKERFILE)
    files = {
        DOCKERFILE: dockerfile.read_bytes(),
        "requirements.txt": requirements.encode(),
        **{f"code/{inside}": content for inside, content in first_party(found, sources)},
    }
    arguments = (("PYTHON", PYTHON_RELEASES[profile.python]),)
    return ImageContext(
        digest=_digest(files, arguments),
        arguments=arguments,
        modules=tuple(found.modules),
        files=tuple(sorted(files.items())),
        cache=cache,
    )


def _digest(files: dict[str, bytes], arguments: tuple[tuple[str, str], ...]) -> str:
    total = hashlib.sha256(repr(arguments).encode())
    for inside, content in sorted(files.items()):
        total.update(f"{inside}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()
