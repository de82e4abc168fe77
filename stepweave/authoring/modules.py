"""Names under which another process can import what a user wrote."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def importable_file(file: Path) -> tuple[Path, str]:
    """The folder for ``sys.path`` and the module name by which any process can import ``file``.

    ``statemachines/digits.py`` in the working directory is ``statemachines.digits``; a file in a package has its name
    in the package; any other file is a module of its own folder.
    """
    file = file.resolve()
    folder = file.parent
    parts = [file.stem]
    while (folder / "__init__.py").exists() and folder.name.isidentifier():
        parts.insert(0, folder.name)
        folder = folder.parent
    inside = _below(folder, Path.cwd())
    if inside is not None and all(part.isidentifier() for part in inside):
        return Path.cwd().resolve(), ".".join((*inside, *parts))
    return folder, ".".join(parts)


def _below(folder: Path, root: Path) -> tuple[str, ...] | None:
    try:
        return folder.relative_to(root.resolve()).parts
    except ValueError:
        return None


def module_name(name: str) -> str:
    """``name``, or for ``__main__`` the name by which another process can import that file."""
    if name != "__main__":
        return name
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name)
    file = getattr(main, "__file__", None)
    return importable_file(Path(file))[1] if file else name


def importable_name(function: Callable[..., Any]) -> str | None:
    """``module:qualname`` if importing that gives this function or a task made of it; None otherwise."""
    module, qualname = getattr(function, "__module__", None), getattr(function, "__qualname__", "<locals>")
    if module not in sys.modules or "<" in qualname:
        return None
    found: Any = sys.modules[module]
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if found is function or getattr(found, "function", None) is function:
        return f"{module_name(module)}:{qualname}"
    return None
