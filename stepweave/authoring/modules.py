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


MADE_HERE = "__stepweave_dags__"
"""Name in a module's globals of the list of DAGs that were made while it was imported.

DAGs that a factory makes need not be bound to a name; this is where ``module:dag_id`` finds them.
"""


def module_being_imported() -> dict[str, Any] | None:
    """The globals of the module whose import is running the code that calls this; None when no import is."""
    frame = sys._getframe(1)
    while frame.f_code.co_name != "<module>":
        if frame.f_back is None:
            return None
        frame = frame.f_back
    # The import system marks the specification of a module while its code runs.
    spec = frame.f_globals.get("__spec__")
    return frame.f_globals if getattr(spec, "_initializing", False) else None


def importable_name(function: Callable[..., Any], wanted: object = None) -> str | None:
    """``module:qualname`` of a function if importing that gives it or a task made of it; None otherwise.

    With ``wanted``, only if importing gives that very object.
    """
    module, qualname = getattr(function, "__module__", None), getattr(function, "__qualname__", "<locals>")
    if module not in sys.modules or "<" in qualname:
        return None
    found: Any = sys.modules[module]
    for part in qualname.split("."):
        found = getattr(found, part, None)
    same = found is function or getattr(found, "function", None) is function
    if found is wanted if wanted is not None else same:
        return f"{module_name(module)}:{qualname}"
    return None
