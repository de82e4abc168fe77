"""`prune(folder)`: wheels without what no function runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from infra.packaging.imports import imports_of

_ABOUT_THE_INSTALLATION = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}
"""Say how it was installed: paths and tools of this machine, which would make two builds differ."""
_SOURCES = {".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".pxd", ".pxi", ".pyx", ".pyc"}
"""What a compiler reads; there is none."""
_TESTS = {"tests", "test"}

_IMPORTS_TESTS = re.compile(rb"^[ \t]*(?:from|import)[ \t][^\n#]*\btests?\b", re.M)
"""May be such an import; or a line of prose."""


def prune(folder: Path, *, compiler: bool) -> None:
    """Take out of ``folder`` what is certainly not needed at run time; with ``compiler`` its sources stay."""
    shutil.rmtree(folder / "bin", ignore_errors=True)  # scripts; their first line names this machine's Python
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            if path.name == "__pycache__":
                shutil.rmtree(path)
        elif path.name in _ABOUT_THE_INSTALLATION and path.parent.suffix == ".dist-info":
            path.unlink()
        elif path.suffix == ".pyc" or (path.suffix in _SOURCES and not compiler):
            path.unlink(missing_ok=True)
    (folder / ".lock").unlink(missing_ok=True)
    if not compiler:
        _drop_link_names(folder)
    for package in _packages(folder):
        _prune_tests(package)
    _drop_empty(folder)


def _drop_link_names(folder: Path) -> None:
    """Take out copies of a shared library under the names by which a linker finds it.

    A wheel holds no symbolic links: what the loader knows as ``libx.so.26`` is there as ``libx.so`` and
    ``libx.so.26.0.1`` again.
    """
    for path in sorted(folder.rglob("lib*.so.*")):
        name, version = path.name.split(".so.", 1)
        if not version.isdigit():
            continue
        for other in (path.with_name(f"{name}.so"), *path.parent.glob(f"{name}.so.{version}.*")):
            if other.is_file() and other.read_bytes() == path.read_bytes():
                other.unlink()


def _packages(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.suffix != ".dist-info":
            yield path


def _prune_tests(package: Path) -> None:
    """Take out the folders of tests from which nothing outside of tests imports."""
    tests = [path for path in package.rglob("*") if path.is_dir() and path.name in _TESTS]
    outermost = [path for path in tests if not any(other in path.parents for other in tests)]
    if not outermost:
        return
    imported = set(_imported_tests(package))
    for path in outermost:
        name = ".".join(path.relative_to(package.parent).parts)
        if not any(one == name or one.startswith(f"{name}.") for one in imported):
            shutil.rmtree(path)


def _imported_tests(package: Path) -> Iterator[str]:
    """Modules in folders of tests, by name, that modules outside of them import."""
    for file in package.rglob("*.py"):
        if _TESTS & set(file.relative_to(package).parts) or not _IMPORTS_TESTS.search(file.read_bytes()):
            continue
        inside = file.relative_to(package.parent).with_suffix("")
        module = ".".join(inside.parts[:-1] if inside.name == "__init__" else inside.parts)
        for one in imports_of(file, module).static:
            yield one.module
            yield from (f"{one.module}.{member}" for member in one.members)


def _drop_empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
