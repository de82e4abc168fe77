"""Zips of which the same contents give the same bytes, and folders that share files.

Dependencies are packed once; the zip of a bundle is that of its dependencies with the code added at its end, so that
fifty DAGs with the same libraries cost one compression of these.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

from infra.packaging.kept import make

_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say."""
_NAME = "bundle.zip"


def zipped(
    cache: Path, digest: str, code: Iterable[tuple[str, bytes]], dependencies: Path, level: int
) -> Path:
    """The zip of ``code`` and ``dependencies``, kept under ``digest``."""

    def build(folder: Path) -> None:
        packed = _packed(cache, dependencies, level)
        shutil.copyfile(packed, folder / _NAME)
        with zipfile.ZipFile(folder / _NAME, "a", zipfile.ZIP_DEFLATED, compresslevel=level) as file:
            for inside, content in code:
                _add(file, inside, content, executable=False)

    return make(cache / "archives" / f"{digest}-{level}", build) / _NAME


def link_tree(source: Path, target: Path) -> None:
    """Every file of ``source`` in ``target`` too: the same file where the disk can do that, else a copy."""
    for path in sorted(source.rglob("*")):
        there = target / path.relative_to(source)
        if path.is_dir():
            there.mkdir(parents=True, exist_ok=True)
        else:
            try:
                os.link(path, there)
            except OSError:
                shutil.copy2(path, there)


def _packed(cache: Path, dependencies: Path, level: int) -> Path:
    """The zip of a set of dependencies."""

    def build(folder: Path) -> None:
        with zipfile.ZipFile(folder / _NAME, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as file:
            for path in sorted(
                dependencies.rglob("*"), key=lambda one: one.relative_to(dependencies).as_posix()
            ):
                if path.is_file():
                    inside = path.relative_to(dependencies).as_posix()
                    _add(file, inside, path.read_bytes(), executable=os.access(path, os.X_OK))

    return make(cache / "archives" / f"{dependencies.parent.name}-{level}", build) / _NAME


def _add(file: zipfile.ZipFile, inside: str, content: bytes, *, executable: bool) -> None:
    entry = zipfile.ZipInfo(inside, _MOMENT)
    entry.create_system = 3  # Unix, wherever it is made: Lambda reads the permissions below
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    file.writestr(entry, content)
