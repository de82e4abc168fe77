"""`Sources`: where modules of our own lie. Everything else is a dependency.

A process looks at each file once: all bundles of an app are made from the sources as they were when it began.
"""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import stepweave
from stepweave.errors import UsageError


@dataclass(frozen=True, slots=True)
class Sources:
    """Folders in which first-party modules are found, the first that has one wins."""

    roots: tuple[Path, ...]
    library: Path | None = None
    """Folder in which stepweave lies. Nothing else in it is ours: it may be an environment's ``site-packages``."""
    _known: dict[str, Path | None] = field(init=False, repr=False, compare=False, default_factory=dict)

    def file_of(self, module: str) -> Path | None:
        """The file of a module, ``__init__.py`` for a package; None when it is not one of ours."""
        if module.partition(".")[0] in sys.stdlib_module_names:
            return None
        if module not in self._known:
            self._known[module] = self._look(module.replace(".", "/"))
        return self._known[module]

    def _look(self, inside: str) -> Path | None:
        for root in self._homes(inside.partition("/")[0]):
            for candidate in (f"{root}/{inside}.py", f"{root}/{inside}/__init__.py"):
                if os.path.isfile(candidate):
                    return Path(candidate)
        return None

    def _homes(self, top: str) -> tuple[Path, ...]:
        """Folders that may hold a top-level module."""
        return (*self.roots, self.library) if self.library and top == stepweave.__name__ else self.roots

    def member_of(self, package: str, name: str) -> Path | None:
        """The file of a module by its package and its own name; quick where ``package`` is a plain module."""
        file = self.file_of(package)
        return None if file is not None and file.name != "__init__.py" else self.file_of(f"{package}.{name}")

    def modules_in(self, package: str) -> list[str]:
        """All modules in the folder of a package, and in the folders inside it."""
        for root in self._homes(package.partition(".")[0]):
            folder = root / package.replace(".", "/")
            if folder.is_dir():
                return sorted(self._module(file.relative_to(root)) for file in folder.rglob("*.py"))
        return []

    def folder_of(self, inside: str) -> Path:
        """A folder of ours, by its path. Raises ``UsageError`` when none of the roots has it."""
        for root in self.roots:
            if (root / inside).is_dir():
                return root / inside
        raise UsageError(f"there is no folder {inside} in {', '.join(map(str, self.roots))}")

    def inside(self, file: Path) -> str:
        """Path of one of our files in the bundle, with ``/``."""
        for root in self._homes(stepweave.__name__):
            if file.is_relative_to(root):
                return file.relative_to(root).as_posix()
        raise ValueError(f"{file} is in none of {', '.join(map(str, self.roots))}")

    @staticmethod
    def _module(path: Path) -> str:
        parts = path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources_of(root: Path) -> Sources:
    """The sources of the project in ``root``: itself, its ``src`` folder, and stepweave wherever it is installed."""
    return _sources_of(root.resolve())


@functools.lru_cache(maxsize=16)
def _sources_of(root: Path) -> Sources:
    library = Path(stepweave.__file__).resolve().parents[1]
    roots = tuple(folder for folder in (root / "src", root) if folder.is_dir())
    return Sources(roots, library=None if library == root else library)
