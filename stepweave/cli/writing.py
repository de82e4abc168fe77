"""`write_file`: what ``-o`` names, written; or a clear word on why it cannot be."""

from __future__ import annotations

from pathlib import Path

from stepweave.errors import UsageError


def write_file(path: Path, content: bytes) -> bool:
    """Whether the file changed, which now holds ``content``; the folders above it are made where they are missing."""
    try:
        if path.exists() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}; name another file") from error
    return True
