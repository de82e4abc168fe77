"""`objects_of`: the buckets of a run, however a test gives them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from stepweave.engine.failures import StateError
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.object_folder import FolderObjects
from stepweave.engine.objects import MemoryObjects, Objects
from stepweave.errors import UsageError
from stepweave.standalone.service_objects import ServiceObjects

BucketsLike: TypeAlias = Mapping[str, Mapping[str, bytes | str]] | str | Path | Objects
"""Contents by bucket and key, the folder of the buckets' folders, or what another run had."""


def objects_of(buckets: BucketsLike | None, services: AwsServices | None = None) -> Objects | None:
    """The objects in ``buckets``, or else in the S3 of ``services``.

    Raises ``UsageError`` for a folder that does not exist, or a name that no bucket or object can have.
    """
    if buckets is None:
        return None if services is None else ServiceObjects(services)
    if isinstance(buckets, Mapping):
        try:
            return MemoryObjects(buckets)
        except StateError as error:
            raise UsageError(f"buckets={{…}}: {error.cause}") from error
    if isinstance(buckets, str | Path):
        if not Path(buckets).is_dir():
            raise UsageError(f"buckets={str(buckets)!r} is no folder; in it, each bucket is a folder")
        return FolderObjects(buckets)
    return buckets
