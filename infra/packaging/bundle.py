"""`bundle(entry, modules, profile, root)`: a handler, the modules it runs, and their dependencies, ready to deploy."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.packaging import archive
from infra.packaging.base import base_requirements
from infra.packaging.bytecode import OWN_CODE, Bytecode, bytecode_of
from infra.packaging.closure import Closure, closure
from infra.packaging.dependencies import FORMAT, Dependencies, dependencies
from infra.packaging.kept import make
from infra.packaging.missing import check_imports
from infra.packaging.parts import parts_used
from infra.packaging.profile import Profile
from infra.packaging.size import check_size
from infra.packaging.sources import Sources, sources_of

CACHE = ".stepweave/packages"
"""Where bundles and dependencies are kept, in the project's folder; `make clean` removes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What is deployed as one function, or goes into one image."""

    digest: str
    """Of its contents; for bytecode, of what it is made from: equal digests, equal bytes by the same compiler."""
    unzipped_bytes: int
    """Of all files in it."""
    largest: tuple[tuple[str, int], ...]
    """Distributions and the code itself, with their bytes without bytecode, the largest first."""
    bytecode: Bytecode
    modules: tuple[str, ...]
    """First-party modules in it."""
    code: tuple[tuple[str, bytes], ...]
    """Path and content of its first-party files and their bytecode, sorted."""
    dependencies: Path
    """Folder of its dependencies, unpacked."""
    cache: Path
    compression: int
    """Of the zip: 1 is quick, 6 is small."""

    @property
    def path(self) -> Path:
        """A folder with all of it; made when it is first asked for. What lies in it is shared: change nothing there."""
        return make(self.cache / "bundles" / self.digest, self._fill)

    @property
    def archive(self) -> Path:
        """A zip with all of it, the same bytes everywhere; made when it is first asked for."""
        return archive.zipped(self.cache, self.digest, self.code, self._folders, self.compression)

    @property
    def _folders(self) -> tuple[Path, ...]:
        return (self.dependencies, *self.bytecode.folders)

    def _fill(self, folder: Path) -> None:
        for source in self._folders:
            archive.link_tree(source, folder)
        for inside, content in self.code:
            target = folder / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def bundle(
    entry: str,
    modules: Sequence[str],
    profile: Profile,
    root: Path,
    *,
    calls: Iterable[str] = (),
    files: Mapping[str, bytes] | None = None,
    cache: Path | None = None,
) -> Bundle:
    """The bundle of a handler.

    Args:
        entry: Module of the handler: ``functions.task_runner.handler``.
        modules: Further modules that it imports by name when it runs: the user's.
        profile: Where it runs, and with which requirements.
        root: Folder of the project, with ``pyproject.toml`` and ``uv.lock``.
        calls: Tasks that run in it (``module:qualname``); what they import inside must be there too.
        files: Further files, by path.
        cache: Where bundles are kept; None for :data:`CACHE` in ``root``.

    Raises ``UsageError`` when a module is not found, an import is not covered by a requirement, or all of it is too
    large for Lambda.
    """
    sources = sources_of(root)
    found = closure([entry, *modules], sources)
    cache = cache or root.resolve() / CACHE
    ours = base_requirements(found, profile)
    unpacked = dependencies(profile, {*profile.requirements, *ours}, root.resolve(), cache, parts_used(found))
    brought = {path.name.partition(".")[0] for path in unpacked.folder.iterdir()}
    check_imports(found, brought, profile, tuple(calls))
    code = {**dict(first_party(found, sources)), **(files or {})}
    parts = {**unpacked.bytes, OWN_CODE: sum(map(len, code.values()))}
    total = sum(parts.values())
    if profile.kind == "lambda":
        check_size(f"the function {entry} for {', '.join(modules) or 'the platform'}", total, parts)
    bytecode = bytecode_of(profile, code, unpacked, {*unpacked.reached(ours), OWN_CODE}, cache)
    return Bundle(
        digest=_digest(sorted(code.items()), unpacked, bytecode),
        unzipped_bytes=total + bytecode.total_bytes,
        largest=tuple(sorted(parts.items(), key=lambda part: (-part[1], part[0]))),
        bytecode=bytecode,
        modules=tuple(found.modules),
        code=tuple(sorted({**code, **bytecode.files}.items())),
        dependencies=unpacked.folder,
        cache=cache,
        compression=1 if profile.local else 6,
    )


@functools.lru_cache(maxsize=512)
def first_party(found: Closure, sources: Sources) -> tuple[tuple[str, bytes], ...]:
    """Path and content of every file of our own in a closure, sorted."""
    files = [(path, path.stat()) for path in (*found.modules.values(), *found.data)]
    return tuple(
        sorted((sources.inside(path), _content(path, stat.st_mtime_ns, stat.st_size)) for path, stat in files)
    )


@functools.lru_cache(maxsize=4096)  # the bundles of an app share most of their files
def _content(path: Path, changed: int, size: int) -> bytes:
    return path.read_bytes()


def _digest(code: Iterable[tuple[str, bytes]], unpacked: Dependencies, bytecode: Bytecode) -> str:
    compiled_as = " ".join((bytecode.format, *bytecode.without))
    total = hashlib.sha256(f"{FORMAT}\n{compiled_as}\n{unpacked.digest}\n".encode())
    for inside, content in code:
        total.update(f"{inside}\0{_digest_of(content)}\n".encode())
    return total.hexdigest()


@functools.lru_cache(maxsize=4096)
def _digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
