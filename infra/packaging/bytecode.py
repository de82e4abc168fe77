"""`bytecode_of(profile, code, unpacked, needed, cache)`: what is compiled of a bundle, as much of it as fits Lambda."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.packaging.compilation import FORMAT, compiled, compiled_set
from infra.packaging.dependencies import Dependencies
from infra.packaging.interpreters import interpreter_for
from infra.packaging.profile import Profile
from infra.packaging.size import without_bytecode

OWN_CODE = "your code"
"""First-party files, among the parts of a bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytecode:
    """What is compiled of a bundle."""

    files: dict[str, bytes]
    """Path and content of the bytecode of first-party code."""
    folders: tuple[Path, ...]
    """Of each distribution with bytecode, in order."""
    total_bytes: int
    """Of all of it."""
    without: tuple[str, ...]
    """Distributions that Lambda has to compile, since their bytecode would make the function too large."""
    format: str
    """How it is made; empty where it is not, since no Python of that version was at hand."""


_NONE = Bytecode(files={}, folders=(), total_bytes=0, without=(), format="")


def bytecode_of(
    profile: Profile, code: Mapping[str, bytes], unpacked: Dependencies, needed: Collection[str], cache: Path
) -> Bytecode:
    """The bytecode of a bundle, as much of it as fits: that of the ``needed`` parts before that of others."""
    interpreter = interpreter_for(profile)
    if interpreter is None:
        return _NONE
    folders = compiled_set(interpreter, unpacked, cache)
    sources = {inside: content for inside, content in code.items() if inside.endswith(".py")}
    files = {inside: _read(path) for inside, path in compiled(interpreter, sources, cache).items()}
    parts = {name: _bytes_in(folder) for name, folder in folders.items()}
    parts[OWN_CODE] = sum(map(len, files.values()))
    without: tuple[str, ...] = ()
    if profile.kind == "lambda":
        without = without_bytecode(sum(unpacked.bytes.values()) + sum(map(len, code.values())), parts, needed)
    return Bytecode(
        files={} if OWN_CODE in without else files,
        folders=tuple(folder for name, folder in folders.items() if name not in without),
        total_bytes=sum(size for name, size in parts.items() if name not in without),
        without=without,
        format=f"{interpreter.tag} {FORMAT}",
    )


@functools.lru_cache(maxsize=1024)
def _bytes_in(folder: Path) -> int:
    """Bytes of the files in a folder that never changes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@functools.lru_cache(maxsize=4096)  # the bundles of an app share most of their files
def _read(path: Path) -> bytes:
    return path.read_bytes()
