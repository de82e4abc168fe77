"""`make(path, build)`: something built once and kept, also where several processes want it at the same time."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def make(path: Path, build: Callable[[Path], None]) -> Path:
    """``path``, a folder that ``build`` has filled; built beside it and renamed, so that nobody sees half of it."""
    if path.is_dir():
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
    return path
