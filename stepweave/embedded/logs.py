"""`append`: adds to an attempt's log what the runtime could not catch: lines of jobs and child processes."""

from __future__ import annotations

import os

from stepweave.stores.layout import log_key
from stepweave.stores.objects import ObjectStore


def append(store: ObjectStore, prefix: str, attempt: int, text: str) -> None:
    """Write ``text`` at the end of the log of ``attempt`` (from 0) under a task's ``prefix``."""
    key = log_key(prefix, attempt)
    path = store.local_path(key)
    if path is None:
        store.put(key, (store.get_or_none(key) or b"") + text.encode())
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a", encoding="utf-8") as log:
        log.write(text)
