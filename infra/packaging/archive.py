"""Zips of which the same contents give the same bytes, and folders that share files.

Dependencies are packed once; the zip of a bundle is that of its dependencies with the code added at its end, so that
fifty DAGs with the same libraries cost one compression of these.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from infra.packaging.kept import make

_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say."""
_NAME = "bundle.zip"


def zipped(
    cache: Path, digest: str, code: Iterable[tuple[str, bytes]], folders: Sequence[Path], level: int
) -> Path:
    """The zip of ``code`` and what lies in ``folders``, kept under ``digest``."""

    def build(folder: Path) -> None:
        packed = _packed(cache, folders, level)
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
            share_file(path, there)


def share_file(source: Path, target: Path) -> None:
    """``source`` at ``target`` too: the same file where the disk can do that, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _packed(cache: Path, folders: Sequence[Path], level: int) -> Path:
    """The zip of a set of dependencies, the folders of which lie in others that are never changed."""

    def build(new: Path) -> None:
        with zipfile.ZipFile(new / _NAME, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as file:
            for folder in folders:
                for inside, path in sorted(
                    (path.relative_to(folder).as_posix(), path) for path in _files(folder)
                ):
                    _add(file, inside, path.read_bytes(), executable=os.access(path, os.X_OK))

    named = "\n".join(str(folder.relative_to(cache)) for folder in folders)
    return make(cache / "archives" / f"{hashlib.sha256(named.encode()).hexdigest()}-{level}", build) / _NAME


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _add(file: zipfile.ZipFile, inside: str, content: bytes, *, executable: bool) -> None:
    entry = zipfile.ZipInfo(inside, _MOMENT)
    entry.create_system = 3  # Unix, wherever it is made: Lambda reads the permissions below
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    file.writestr(entry, content)
