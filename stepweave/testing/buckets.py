"""`objects_of`: the buckets of a run, however a test gives them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from stepweave.engine.object_folder import FolderObjects
from stepweave.engine.objects import MemoryObjects, Objects
from stepweave.errors import UsageError

BucketsLike: TypeAlias = Mapping[str, Mapping[str, bytes | str]] | str | Path | Objects
"""Contents by bucket and key, the folder of the buckets' folders, or what another run had."""


def objects_of(buckets: BucketsLike | None) -> Objects | None:
    """The objects in ``buckets``; raises ``UsageError`` for a folder that does not exist."""
    if buckets is None:
        return None
    if isinstance(buckets, Mapping):
        return MemoryObjects(buckets)
    if isinstance(buckets, str | Path):
        if not Path(buckets).is_dir():
            raise UsageError(f"buckets={str(buckets)!r} is no folder; in it, each bucket is a folder")
        return FolderObjects(buckets)
    return buckets
