"""uv, called: the versions of ``uv.lock``, wheels unpacked into a folder, and the Pythons of this machine."""

from __future__ import annotations

import functools
import importlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from stepweave.errors import UsageError


def locked(root: Path) -> str:
    """Every version in ``uv.lock``, with hashes and the conditions under which it holds, as constraints for pip.

    Raises ``UsageError`` when there is no lock file, or it does not fit ``pyproject.toml``.
    """
    lock, project = root / "uv.lock", root / "pyproject.toml"
    for file in (lock, project):
        if not file.is_file():
            raise UsageError(
                f"there is no {file.name} in {root}, from which versions are taken; run `uv lock` there"
            )
    return _exported(root, lock.stat().st_mtime_ns, project.stat().st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _exported(root: Path, lock_changed: int, project_changed: int) -> str:
    everything = ("--all-extras", "--all-groups", "--no-emit-project", "--no-annotate", "--no-header")
    return run(["export", "--frozen", "--quiet", *everything], root, "reading uv.lock")


def run(arguments: Sequence[str], root: Path, doing: str) -> str:
    """What uv prints. Raises ``UsageError`` with what it says when it fails."""
    done = subprocess.run([executable(), *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"{doing} failed (uv ended with status {done.returncode}):\n{done.stderr.strip()}")
    return done.stdout


def find_python(request: str) -> str | None:
    """Path of an installed Python, as in ``cpython@3.13``; None where there is none. Downloads nothing."""
    command = [executable(), "python", "find", "--no-project", "--no-python-downloads", request]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


@functools.lru_cache(maxsize=1)
def executable() -> str:
    """uv: that of the lock file where it is installed, else the one on the path."""
    try:
        found = importlib.import_module("uv").find_uv_bin()
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise UsageError(
            "uv, which packs functions, is not installed; add the extra `cdk`, or see docs.astral.sh/uv"
        )
    return str(found)
