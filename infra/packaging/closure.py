"""`closure(names, sources)`: every first-party file that the named modules may need, and what they import besides."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.packaging.data_files import data_files
from infra.packaging.imports import Import, imports_of
from infra.packaging.sources import Sources
from stepweave.errors import UsageError


@dataclass(frozen=True, slots=True)
class Outside:
    """An import of something that is not ours."""

    package: str
    """Top-level name: ``sklearn``."""
    module: str
    """Module of ours that imports it."""
    file: Path
    what: Import


@dataclass(frozen=True, slots=True, eq=False)
class Closure:
    """What ships of our own code."""

    modules: dict[str, Path]
    """File by module, sorted by name."""
    data: tuple[Path, ...]
    outside: tuple[Outside, ...]


def closure(names: Iterable[str], sources: Sources) -> Closure:
    """The closure of modules, made once for the same names. Raises ``UsageError`` for a name that is not ours."""
    return _closure(tuple(dict.fromkeys(names)), sources)


@functools.lru_cache(maxsize=512)  # an app asks for some closures for every DAG
def _closure(names: tuple[str, ...], sources: Sources) -> Closure:
    modules: dict[str, Path] = {}
    outside: list[Outside] = []
    waiting = deque(names)
    for name in waiting:
        if sources.file_of(name) is None:
            raise UsageError(
                f"module {name!r} is not found in {', '.join(map(str, sources.roots))}; "
                "its name must be its path from there, with dots"
            )
    while waiting:
        name = waiting.popleft()
        if name in modules or (file := sources.file_of(name)) is None:
            continue
        modules[name] = file
        loaded, others, _ = _reached(name, file, sources)
        waiting.extend(loaded)
        outside.extend(others)
    ordered = dict(sorted(modules.items()))
    data = sorted({path for name, file in ordered.items() for path in _reached(name, file, sources)[2]})
    return Closure(ordered, tuple(data), tuple(outside))


@functools.lru_cache(maxsize=4096)
def _reached(
    name: str, file: Path, sources: Sources
) -> tuple[tuple[str, ...], tuple[Outside, ...], tuple[Path, ...]]:
    """What one module reaches: modules of ours, imports of others, and its data files."""
    found = imports_of(file, name)
    loaded = [*_packages_around(name)]
    outside = []
    for package in found.packages:
        loaded += sources.modules_in(package)
    for one in found.static:
        ours = list(_ours(one, sources))
        loaded += ours
        if not ours:
            outside.append(Outside(one.module.partition(".")[0], name, file, one))
    return tuple(dict.fromkeys(loaded)), tuple(outside), data_files(file)


def _ours(one: Import, sources: Sources) -> Iterator[str]:
    """The modules of ours that an import loads."""
    if sources.file_of(one.module) is not None:
        yield one.module
    for member in one.members:
        if sources.member_of(one.module, member) is not None:
            yield f"{one.module}.{member}"


def _packages_around(module: str) -> Iterator[str]:
    """The packages that a module is in, whose ``__init__`` runs before it."""
    while module := module.rpartition(".")[0]:
        yield module
