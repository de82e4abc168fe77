"""`parsed(file)`: the syntax tree of a module, read once as long as the file stays the same."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

from stepweave.errors import UsageError


def parsed(file: Path) -> ast.Module:
    """The syntax tree of ``file``. Raises ``UsageError`` where it is no Python of this version."""
    stat = file.stat()
    return _parsed(file, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=2048)  # the bundles of an app share most of their modules
def _parsed(file: Path, changed: int, size: int) -> ast.Module:
    try:
        return ast.parse(file.read_bytes(), str(file))
    except SyntaxError as error:
        raise UsageError(f"{file}:{error.lineno}: {error.msg}, so nobody can tell what it imports") from error
