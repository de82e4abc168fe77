"""`Sources`: where modules of our own lie. Everything else is a dependency."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import stepweave


@dataclass(frozen=True, slots=True)
class Sources:
    """Folders in which first-party modules are found, the first that has one wins."""

    roots: tuple[Path, ...]

    def file_of(self, module: str) -> Path | None:
        """The file of a module, ``__init__.py`` for a package; None when it is not one of ours."""
        inside = module.replace(".", "/")
        for root in self.roots:
            for candidate in (root / f"{inside}.py", root / inside / "__init__.py"):
                if candidate.is_file():
                    return candidate
        return None

    def modules_in(self, package: str) -> list[str]:
        """All modules in the folder of a package, and in the folders inside it."""
        for root in self.roots:
            folder = root / package.replace(".", "/")
            if folder.is_dir():
                return sorted(self._module(file.relative_to(root)) for file in folder.rglob("*.py"))
        return []

    def inside(self, file: Path) -> str:
        """Path of one of our files in the bundle, with ``/``."""
        for root in self.roots:
            if file.is_relative_to(root):
                return file.relative_to(root).as_posix()
        raise ValueError(f"{file} is in none of {', '.join(map(str, self.roots))}")

    @staticmethod
    def _module(path: Path) -> str:
        parts = path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources_of(root: Path) -> Sources:
    """The sources of the project in ``root``: itself, its ``src`` folder, and stepweave wherever it is installed."""
    root = root.resolve()
    home = Path(stepweave.__file__).resolve().parents[1]
    candidates = (root / "src", root, home)
    return Sources(tuple(dict.fromkeys(folder for folder in candidates if folder.is_dir())))
