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
    for name in names:
        if sources.file_of(name) is None:
            raise UsageError(
                f"module {name!r} is not found in {', '.join(map(str, sources.roots))}; "
                "its name must be its path from there, with dots"
            )
    modules: dict[str, Path] = {}
    seen: set[_Load] = set()
    outside: dict[Outside, None] = {}
    waiting = deque(_Load(name, names_asked=True) for name in names)
    while waiting:
        load = waiting.popleft()
        if load in seen or (file := sources.file_of(load.module)) is None:
            continue
        seen.add(load)
        modules[load.module] = file
        reached = _reached(load, file, sources)
        waiting.extend(reached.loads)
        outside.update(dict.fromkeys(reached.outside))
    ordered = dict(sorted(modules.items()))
    data = sorted({path for file in ordered.values() for path in data_files(file)})
    return Closure(ordered, tuple(data), tuple(outside))


@dataclass(frozen=True, slots=True)
class _Load:
    """That a module is imported."""

    module: str
    names_asked: bool
    """Whether names are looked up in it, which its ``__getattr__`` may answer; not where it is a package around."""


@dataclass(frozen=True, slots=True)
class _Reached:
    loads: tuple[_Load, ...]
    outside: tuple[Outside, ...]


@functools.lru_cache(maxsize=4096)
def _reached(load: _Load, file: Path, sources: Sources) -> _Reached:
    """What one module reaches: modules of ours, and imports of others."""
    found = imports_of(file, load.module)
    loads = [_Load(package, names_asked=False) for package in _packages_around(load.module)]
    outside = []
    for package in found.packages:
        loads += [_Load(module, names_asked=True) for module in sources.modules_in(package)]
    for one in found.static:
        if one.scope == "attribute" and not load.names_asked:
            continue
        ours = list(_ours(one, sources))
        loads += ours
        if not ours:
            outside.append(Outside(one.module.partition(".")[0], load.module, file, one))
    return _Reached(tuple(dict.fromkeys(loads)), tuple(outside))


def _ours(one: Import, sources: Sources) -> Iterator[_Load]:
    """The modules of ours that an import loads."""
    modules = [member for member in one.members if sources.member_of(one.module, member) is not None]
    yield from (_Load(f"{one.module}.{member}", names_asked=True) for member in modules)
    if sources.file_of(one.module) is not None:
        yield _Load(one.module, names_asked=not one.members or len(modules) < len(one.members))


def _packages_around(module: str) -> Iterator[str]:
    """The packages that a module is in, whose ``__init__`` runs before it."""
    while module := module.rpartition(".")[0]:
        yield module
