"""Parts of distributions that few programs use, and that are large: left out unless something imports them.

pandas keeps frames as Parquet, by pyarrow; with pyarrow's RPC server the two would not fit Lambda.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.packaging.closure import Closure

PARTS = {
    # No other library of pyarrow is linked with these (readelf -d; version 26).
    "pyarrow.flight": ("pyarrow/flight.py", "pyarrow/_flight.*", "pyarrow/libarrow*_flight.so*"),
}
"""Files by the module through which they are used."""


def parts_used(found: Closure) -> tuple[str, ...]:
    """Those of :data:`PARTS` that first-party modules import, sorted."""
    imported = set()
    for one in found.outside:
        imported.add(one.what.module)
        imported.update(f"{one.what.module}.{member}" for member in one.what.members)
    return tuple(sorted(PARTS.keys() & imported))


def drop_parts(folder: Path, used: Iterable[str]) -> None:
    """Take out of ``folder`` the parts that neither ``used`` names nor another distribution in it imports."""
    for module in sorted(PARTS.keys() - set(used)):
        files = [path for pattern in PARTS[module] for path in folder.glob(pattern)]
        if files and not _is_imported(folder, module):
            for path in files:
                path.unlink()


def _is_imported(folder: Path, module: str) -> bool:
    package, _, member = module.rpartition(".")
    imports = re.compile(
        rf"{re.escape(module)}\b|from {re.escape(package)} import [^\n]*\b{member}\b".encode()
    )
    return any(imports.search(path.read_bytes()) for path in _others(folder, package))


def _others(folder: Path, package: str) -> Iterator[Path]:
    for path in folder.rglob("*.py"):
        if path.relative_to(folder).parts[0] != package:
            yield path
