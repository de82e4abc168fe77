"""`make(path, build)`: something built once and kept, also where several processes want it at the same time."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

MOST_KEPT = 300
"""Things of one kind that are kept. A change of shared code makes a new zip for every function."""
SPARED_SECONDS = 3600
"""Nothing goes that was used so recently: somebody may be deploying it."""


def make(path: Path, build: Callable[[Path], None], *, most: int = MOST_KEPT) -> Path:
    """``path``, a folder that ``build`` has filled; built beside it and renamed, so that nobody sees half of it.

    Where there are more than ``most`` beside each other, those that were not used for the longest time go.
    """
    with contextlib.suppress(FileNotFoundError):
        os.utime(path)  # when it was used last
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f"{path.name}.", dir=path.parent))
    try:
        build(new)
        new.chmod(0o755)
        os.rename(new, path)
    except OSError:
        if not path.is_dir():  # else another process was first
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    forget(path.parent, most, time.time() - SPARED_SECONDS)
    return path


def forget(folder: Path, most: int, before: float) -> None:
    """Remove folders and files in ``folder``, those used longest ago and before that moment, until ``most`` remain."""
    entries = list(os.scandir(folder))
    if len(entries) <= most:
        return
    used: list[tuple[float, str]] = []
    for entry in entries:
        with contextlib.suppress(FileNotFoundError):  # another process renames or removes its own
            used.append((entry.stat().st_mtime, entry.path))
    for moment, path in sorted(used)[: len(entries) - most]:
        if moment >= before:
            return
        if os.path.isdir(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            Path(path).unlink(missing_ok=True)
