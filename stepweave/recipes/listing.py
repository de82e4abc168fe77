"""Files to map over."""

from __future__ import annotations

from stepweave.authoring.tasks import task
from stepweave.stores.objects import open_store


@task
def list_objects(uri: str, suffix: str = "") -> list[str]:
    """Addresses of all files below a folder or an ``s3://bucket/prefix``, sorted.

    ``train.expand(uri=list_objects("s3://lake/raw/", suffix=".parquet"))``
    """
    top = uri.rstrip("/") or "/"
    keys = (key for key, _ in open_store(top).list("") if key.endswith(suffix))
    return [f"{top.rstrip('/')}/{key}" for key in keys]
